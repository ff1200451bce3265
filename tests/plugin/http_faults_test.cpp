#include <doctest/doctest.h>

#include <chrono>
#include <set>

#include "plugin/http/client.h"
#include "tests/support/fault_server.h"

/// A service that fails in every way there is. Each case ends within its deadline, bounded from outside by an alarm.
namespace hone {

namespace {

using test::Bounded;
using test::FaultServer;
using test::Peer;

HttpOptions options_for(const std::string& url, double timeout = 20) {
  return {.url = parse_url(url),
          .timeout = timeout,
          .retries = 3,
          .max_reply = 1 << 20,
          .backoff = {.first = 0.01, .longest = 0.05},
          .breaker_failures = 1000};
}

bool has(const HttpReply& reply, std::string_view part) { return reply.error.find(part) != std::string::npos; }

/// A post and how long it took; generous bounds only.
struct Timed {
  HttpReply reply;
  double seconds;
};
Timed timed_post(HttpClient& client, std::string_view body = "{}") {
  const auto start = std::chrono::steady_clock::now();
  HttpReply reply = client.post(body);
  return {std::move(reply), std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count()};
}

/// Every request gets these bytes, after which the server closes.
FaultServer::Handler answers(std::string bytes) {
  return [bytes = std::move(bytes)](Peer& peer) {
    if (!peer.request().empty()) peer.send(bytes);
  };
}

constexpr std::string_view half_a_reply = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"scores\": [1, 2";

}  // namespace

TEST_CASE("http faults: a server that hangs") {
  const Bounded bounded;
  FaultServer server([](Peer& peer) {
    peer.request();
    peer.wait_for_close();
  });
  HttpClient client(options_for(server.url(), 0.5));
  const auto [reply, seconds] = timed_post(client);
  CHECK(reply.reason == "timeout");
  CHECK_MESSAGE(has(reply, "waiting for the reply (timeout: 0.5 s)"), reply.error);
  CHECK(has(reply, server.url()));
  CHECK(seconds >= 0.45);
  CHECK(seconds < 5);
  CHECK(server.connections() == 1);
}

TEST_CASE("http faults: headers that trickle") {
  const Bounded bounded;
  FaultServer server([](Peer& peer) {
    peer.request();
    peer.send("HTTP/1.1 200 OK\r\n");
    while (peer.pause(0.05) && peer.send("X: y\r\n")) {
    }
  });
  HttpClient client(options_for(server.url(), 0.5));
  const auto [reply, seconds] = timed_post(client);
  CHECK(reply.reason == "timeout");
  CHECK(seconds < 5);
}

TEST_CASE("http faults: a body that trickles") {
  const Bounded bounded;
  FaultServer server([](Peer& peer) {
    peer.request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
    while (peer.pause(0.05) && peer.send("x")) {
    }
  });
  HttpClient client(options_for(server.url(), 0.5));
  const auto [reply, seconds] = timed_post(client);
  CHECK(reply.reason == "timeout");
  CHECK_MESSAGE(has(reply, "bytes of its body came"), reply.error);
  CHECK(seconds < 5);
}

TEST_CASE("http faults: a server that never reads") {
  const Bounded bounded;
  FaultServer server([](Peer& peer) {
    while (peer.pause(1)) {
    }
  });
  HttpClient client(options_for(server.url(), 0.5));
  const auto [reply, seconds] = timed_post(client, std::string(64 << 20, 'x'));
  CHECK(reply.reason == "timeout");
  CHECK_MESSAGE(has(reply, "sending the request"), reply.error);
  CHECK(seconds < 5);
}

TEST_CASE("http faults: 500 three times, then fine; the idempotency key stays") {
  const Bounded bounded;
  std::atomic<int> requests = 0;
  std::mutex mutex;
  std::set<std::string> keys;
  FaultServer server([&](Peer& peer) {
    for (std::string request = peer.request(); !request.empty(); request = peer.request()) {
      {
        const std::lock_guard lock(mutex);
        keys.insert(test::header_of(request, "Idempotency-Key"));
      }
      ++requests <= 3 ? peer.reply("{\"oops\":1}", "500 Internal Server Error") : peer.reply("fine");
    }
  });
  HttpClient client(options_for(server.url()));
  CHECK(client.post("{}").body == "fine");
  CHECK(requests == 4);
  CHECK(keys.size() == 1);
  CHECK(client.post("{ }").body == "fine");
  CHECK(keys.size() == 2);
}

TEST_CASE("http faults: 500 for good") {
  const Bounded bounded;
  FaultServer server([](Peer& peer) {
    while (!peer.request().empty()) peer.reply("model\nnot loaded", "503 Service Unavailable");
  });
  HttpClient client(options_for(server.url()));
  const HttpReply reply = client.post("{}");
  CHECK(reply.reason == "http");
  CHECK(reply.status == 503);
  CHECK_MESSAGE(has(reply, "503 Service Unavailable (4 tries in "), reply.error);
  CHECK(has(reply, "model not loaded"));
}

TEST_CASE("http faults: what another try cannot mend is not tried again") {
  const Bounded bounded;
  for (const std::string status : {"400 Bad Request", "401 Unauthorized", "404 Not Found", "422 X", "501 X"}) {
    std::atomic<int> requests = 0;
    FaultServer server([&](Peer& peer) {
      while (!peer.request().empty()) ++requests, peer.reply("{\"detail\":\"no\"}", status);
    });
    HttpClient client(options_for(server.url()));
    const HttpReply reply = client.post("{}");
    CHECK(reply.reason == "http");
    CHECK(has(reply, status.substr(0, 3)));
    CHECK(has(reply, "{\"detail\":\"no\"}"));
    CHECK(requests == 1);
  }
}

TEST_CASE("http faults: 429 says when to come back") {
  const Bounded bounded;
  std::atomic<int> requests = 0;
  FaultServer server([&](Peer& peer) {
    while (!peer.request().empty()) {
      ++requests == 1 ? peer.reply("", "429 Too Many Requests", "Retry-After: 1\r\n") : peer.reply("fine");
    }
  });
  HttpClient client(options_for(server.url()));
  const auto [reply, seconds] = timed_post(client);
  CHECK(reply.body == "fine");
  CHECK(requests == 2);
  CHECK(seconds >= 0.95);
}

TEST_CASE("http faults: 429 that asks for more than the deadline has") {
  const Bounded bounded;
  std::atomic<int> requests = 0;
  FaultServer server([&](Peer& peer) {
    while (!peer.request().empty()) ++requests, peer.reply("", "429 Too Many Requests", "Retry-After: 100\r\n");
  });
  HttpClient client(options_for(server.url(), 10));
  const auto [reply, seconds] = timed_post(client);
  CHECK(reply.reason == "http");
  CHECK_MESSAGE(has(reply, "it asks to wait 100 s"), reply.error);
  CHECK(seconds < 5);
  CHECK(requests == 1);
}

TEST_CASE("http faults: half a body, then a reset") {
  const Bounded bounded;
  FaultServer server([](Peer& peer) {
    peer.request();
    if (peer.index() >= 2) return peer.reply("whole");
    peer.send(half_a_reply);
    peer.pause(0.05);
    peer.reset();
  });
  HttpClient client(options_for(server.url()));
  CHECK(client.post("{}").body == "whole");
  CHECK(server.connections() == 3);
}

TEST_CASE("http faults: half a body, always") {
  const Bounded bounded;
  for (const bool hard : {false, true}) {
    FaultServer server([&](Peer& peer) {
      peer.request();
      peer.send(half_a_reply);
      peer.pause(0.05);
      if (hard) peer.reset();
    });
    HttpClient client(options_for(server.url()));
    const HttpReply reply = client.post("{}");
    CHECK(reply.reason == "http");
    CHECK_MESSAGE(has(reply, hard ? "broke" : "was closed in the middle of the reply, after 16 bytes"), reply.error);
    CHECK(server.connections() == 4);
  }
}

TEST_CASE("http faults: a length that is too small leaves a connection that is not used again") {
  const Bounded bounded;
  FaultServer server([](Peer& peer) {
    while (!peer.request().empty()) peer.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12345HTTP/1.1 200 OK\r\n\r\nevil");
  });
  HttpClient client(options_for(server.url()));
  CHECK(client.post("{}").body == "12345");
  CHECK(client.post("{}").body == "12345");
  CHECK(client.counts().connects == 2);
}

TEST_CASE("http faults: bytes that are no HTTP") {
  const Bounded bounded;
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  for (const std::string& bytes :
       {ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX5\r\n", ok + "Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
        ok + "Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n", ok + "Content-Length: five\r\n\r\nhello",
        ok + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", ok + "Content-Length: 99999999999999999999999\r\n\r\n",
        std::string("SSH-2.0-OpenSSH_9.2\r\n"), ok + "X: " + std::string(1 << 20, 'y') + "\r\n\r\n"}) {
    CAPTURE(bytes.substr(0, 80));
    FaultServer server(answers(bytes));
    HttpClient client(options_for(server.url()));
    const HttpReply reply = client.post("{}");
    CHECK_MESSAGE(reply.reason == "protocol", reply.error);
    CHECK(server.connections() == 1);
  }
}

TEST_CASE("http faults: a body of 10 GB, announced, in chunks, or without end") {
  const Bounded bounded;
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::string megabyte(1 << 20, 'x');
  for (const std::string& head : {ok + "Content-Length: 10000000000\r\n\r\n", ok + "Transfer-Encoding: chunked\r\n\r\n", ok + "\r\n"}) {
    CAPTURE(head);
    std::atomic<std::int64_t> sent = 0;
    FaultServer server([&](Peer& peer) {
      peer.request();
      const bool chunked = head.find("chunked") != std::string::npos;
      bool open = peer.send(head);
      while (open && sent < 10'000'000'000) {
        open = peer.send(chunked ? "100000\r\n" + megabyte + "\r\n" : megabyte);
        if (open) sent += 1 << 20;
      }
    });
    HttpClient client(options_for(server.url()));
    const HttpReply reply = client.post("{}");
    CHECK(reply.reason == "protocol");
    CHECK_MESSAGE(has(reply, "the reply has more than 1048576 bytes"), reply.error);
    CHECK(sent < 100 << 20);
    CHECK(server.connections() == 1);
  }
}

TEST_CASE("http faults: a kept connection that the server has closed meanwhile") {
  const Bounded bounded;
  for (const bool hard : {false, true}) {
    FaultServer server([&](Peer& peer) {
      peer.request();
      peer.reply("fine");
      if (hard) peer.reset();
    });
    HttpOptions options = options_for(server.url());
    options.retries = 0;
    options.breaker_failures = 1;
    HttpClient client(options);
    for (int i = 0; i < 5; ++i) {
      const HttpReply reply = client.post("{}");
      CHECK_MESSAGE(reply.ok(), reply.error);
      std::this_thread::sleep_for(std::chrono::milliseconds(30));
    }
    CHECK(client.counts().crossed >= 1);
    CHECK(server.connections() == 5);
  }
}

TEST_CASE("http faults: nobody listens") {
  const Bounded bounded;
  HttpClient client(options_for("http://127.0.0.1:" + std::to_string(test::closed_port()) + "/"));
  const auto [reply, seconds] = timed_post(client);
  CHECK(reply.reason == "http");
  CHECK_MESSAGE(has(reply, "Connection refused (4 tries in "), reply.error);
  CHECK(client.counts().connects == 4);
  CHECK(seconds < 10);
}

TEST_CASE("http faults: a host that does not exist") {
  const Bounded bounded;
  HttpClient client(options_for("http://no-such-host.invalid/", 2));
  const auto [reply, seconds] = timed_post(client);
  CHECK_MESSAGE((reply.reason == "http" || reply.reason == "timeout"), reply.error);
  CHECK(has(reply, "no-such-host.invalid"));
  CHECK(client.counts().connects == 0);
  CHECK(seconds < 10);
}

TEST_CASE("http faults: a service that fails is spared, then probed") {
  const Bounded bounded;
  std::atomic<int> requests = 0;
  std::atomic<bool> well = false;
  FaultServer server([&](Peer& peer) {
    while (!peer.request().empty()) ++requests, well ? peer.reply("fine") : peer.reply("", "500 Internal Server Error");
  });
  HttpOptions options = options_for(server.url(), 1.5);
  options.retries = 0;
  options.breaker_failures = 3;
  options.breaker_rest = 2;
  HttpClient client(options);
  for (int i = 0; i < 10; ++i) CHECK(client.post("{}").reason == "http");
  CHECK(requests == 3);
  const HttpReply spared = client.post("{}");
  CHECK_MESSAGE(has(spared, "not sent, the service has failed too often; last: POST "), spared.error);
  CHECK(requests == 3);
  well = true;
  std::this_thread::sleep_for(std::chrono::milliseconds(2100));
  CHECK(client.post("{}").ok());
  CHECK(client.post("{}").ok());
  CHECK(requests == 5);
}

}  // namespace hone

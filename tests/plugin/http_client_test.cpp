#include <doctest/doctest.h>

#include <filesystem>
#include <iterator>

#include "plugin/http/client.h"
#include "tests/support/error_of.h"
#include "tests/support/fault_server.h"

namespace hone {

namespace {

using test::Bounded;
using test::FaultServer;
using test::Peer;

HttpOptions options_for(const std::string& url) {
  return {.url = parse_url(url), .timeout = 20, .backoff = {.first = 0.01, .longest = 0.05}, .breaker_failures = 1000};
}

}  // namespace

TEST_CASE("http: a post has a body, a length, an idempotency key and the bearer token") {
  const Bounded bounded;
  std::string seen;
  FaultServer server([&](Peer& peer) {
    seen = peer.request();
    peer.reply("[1]");
  });
  HttpOptions options = options_for(server.url("/v1/score?a=b"));
  options.token = "s3cret";
  HttpClient client(options);
  const HttpReply reply = client.post("{\"x\":1}");
  CHECK_MESSAGE(reply.ok(), reply.error);
  CHECK(reply.status == 200);
  CHECK(reply.body == "[1]");
  CHECK(reply.content_type == "application/json");
  CHECK(seen.starts_with("POST /v1/score?a=b HTTP/1.1\r\n"));
  CHECK(test::header_of(seen, "Host") == "127.0.0.1:" + std::to_string(server.port()));
  CHECK(test::header_of(seen, "Authorization") == "Bearer s3cret");
  CHECK(test::header_of(seen, "Content-Type") == "application/json");
  CHECK(test::header_of(seen, "Content-Length") == "7");
  CHECK(test::header_of(seen, "Idempotency-Key").size() == 32);
  CHECK(test::body_of(seen) == "{\"x\":1}");
}

TEST_CASE("http: connections are kept and used again") {
  const Bounded bounded;
  FaultServer server([](Peer& peer) {
    while (!peer.request().empty()) peer.reply("{}");
  });
  HttpClient client(options_for(server.url()));
  for (int i = 0; i < 5; ++i) CHECK(client.post("{}").ok());
  CHECK(client.get("/health").ok());
  CHECK(server.connections() == 1);
  CHECK(client.counts().connects == 1);
  CHECK(client.counts().reuses == 5);
}

TEST_CASE("http: replies in chunks, after interim ones, and up to the end of the connection") {
  const Bounded bounded;
  FaultServer server([](Peer& peer) {
    for (std::string request = peer.request(); !request.empty(); request = peer.request()) {
      const std::string what = test::body_of(request);
      if (what == "chunks") {
        peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
        peer.pause(0.05);
        peer.send("7;extension\r\n, world\r\n0\r\nTrailer: x\r\n\r\n");
      } else if (what == "interim") {
        peer.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
        peer.reply("real");
      } else {
        peer.send("HTTP/1.0 200 OK\r\n\r\nuntil the end");
        return;
      }
    }
  });
  HttpClient client(options_for(server.url()));
  CHECK(client.post("chunks").body == "hello, world");
  CHECK(client.post("interim").body == "real");
  CHECK(client.post("end").body == "until the end");
  CHECK(client.post("chunks").body == "hello, world");
  CHECK(client.counts().connects == 2);
}

TEST_CASE("http: no more calls on the wire than connections") {
  const Bounded bounded;
  std::atomic<int> now = 0, most = 0;
  FaultServer server([&](Peer& peer) {
    while (!peer.request().empty()) {
      const int mine = ++now;
      for (int seen = most; mine > seen && !most.compare_exchange_weak(seen, mine);) {
      }
      peer.pause(0.05);
      --now;
      peer.reply("{}");
    }
  });
  HttpOptions options = options_for(server.url());
  options.connections = 2;
  HttpClient client(options);
  std::atomic<int> good = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < 8; ++i) callers.emplace_back([&] { good += client.post("{}").ok(); });
  for (std::thread& caller : callers) caller.join();
  CHECK(good == 8);
  CHECK(most == 2);
  CHECK(server.connections() == 2);
}

TEST_CASE("http: waiting for a connection ends with the deadline") {
  const Bounded bounded;
  FaultServer server([](Peer& peer) {
    peer.request();
    peer.wait_for_close();
  });
  HttpOptions options = options_for(server.url());
  options.connections = 1;
  options.timeout = 0.5;
  HttpClient client(options);
  std::vector<HttpReply> replies(2);
  std::thread other([&] { replies[0] = client.post("{}"); });
  replies[1] = client.post("{}");
  other.join();
  for (const HttpReply& reply : replies) CHECK(reply.reason == "timeout");
}

TEST_CASE("http: an error reply that comes before the request was read is understood") {
  const Bounded bounded;
  FaultServer server([](Peer& peer) {
    peer.reply("{\"error\":\"too much\"}", "413 Content Too Large", "Connection: close\r\n");
    ::shutdown(peer.fd(), SHUT_WR);
    peer.wait_for_close();
  });
  HttpClient client(options_for(server.url()));
  const HttpReply reply = client.post(std::string(8 << 20, 'x'));
  CHECK(reply.status == 413);
  CHECK(reply.reason == "http");
  CHECK(reply.error.find("413 Content Too Large: {\"error\":\"too much\"}") != std::string::npos);
}

TEST_CASE("http: clients share one network thread, and the last one ends it") {
  const Bounded bounded;
  const auto threads = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"), std::filesystem::directory_iterator());
  };
  FaultServer server([](Peer& peer) {
    while (!peer.request().empty()) peer.reply("{}");
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  const auto before = threads();
  {
    HttpClient one(options_for(server.url())), two(options_for(server.url()));
    CHECK(threads() == before + 1);
  }
  CHECK(threads() == before);
  HttpClient again(options_for(server.url()));
  CHECK(again.post("{}").ok());
}

TEST_CASE("http: what cannot be a request's certificate file is named") {
  HttpOptions options = options_for("https://127.0.0.1:1/");
  options.ca_file = "/nonexistent/ca.pem";
  HONE_CHECK_ERROR(config, HttpClient{options}, "ca_file", "/nonexistent/ca.pem");
}

TEST_CASE("http: urls") {
  const Url url = parse_url("HTTPS://Example.com:8443/a/b?c=d#e");
  CHECK(url.tls);
  CHECK(url.host == "example.com");
  CHECK(url.port == 8443);
  CHECK(url.target == "/a/b?c=d");
  CHECK(url.text() == "https://example.com:8443/a/b?c=d");
  CHECK(parse_url("http://h").text() == "http://h/");
  CHECK(parse_url("http://h?q").target == "/?q");
  CHECK(parse_url("http://[::1]:81/x").host == "::1");
  CHECK(parse_url("http://[::1]:81/x").text() == "http://[::1]:81/x");
  CHECK(parse_url("https://h:443/").authority() == "h");
  for (const char* bad : {"", "h/x", "ftp://h/", "file:///etc/passwd", "http:/h", "http://", "http://h:0/", "http://h:65536/",
                          "http://h:8o/", "http://h h/", "http://h/\r\nX: y", "http://h\xC3\xA9/", "http://[::1", "http://[::1]x/",
                          "http://a_b!c/"}) {
    CAPTURE(bad);
    HONE_CHECK_ERROR(config, parse_url(bad), "url");
  }
  HONE_CHECK_ERROR(config, parse_url("http://user:secret@h/"), "token_env");
  CHECK_FALSE(test::error_of([] { parse_url("http://user:secret@h/"); })->has("secret"));
}

TEST_CASE("http: where redirects lead") {
  const Url base = parse_url("http://h:1/a/b?q");
  CHECK(redirected(base, "/c").text() == "http://h:1/c");
  CHECK(redirected(base, "c?d#e").text() == "http://h:1/a/c?d");
  CHECK(redirected(base, "?r").text() == "http://h:1/a/b?r");
  CHECK(redirected(base, "//other/c").text() == "http://other/c");
  CHECK(redirected(base, "http://other/c").text() == "http://other/c");
  for (const char* bad : {"file:///etc/passwd", "https://h:1/", "gopher://h/", "javascript:0", "FILE:/x"}) {
    HONE_CHECK_ERROR(config, redirected(base, bad), "changes the scheme");
  }
  HONE_CHECK_ERROR(config, redirected(base, "/a b"), "white space");
}

}  // namespace hone

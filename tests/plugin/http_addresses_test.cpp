#include <arpa/inet.h>
#include <doctest/doctest.h>

#include <array>

#include "plugin/http/address.h"
#include "plugin/http/client.h"
#include "tests/support/fault_server.h"

/// Where a client may connect to, and where a reply may send it.
namespace hone {

namespace {

using test::Bounded;
using test::FaultServer;
using test::Peer;

AddressKind kind_of(const char* text) {
  std::array<unsigned char, 16> bytes{};
  if (::inet_pton(AF_INET, text, bytes.data()) == 1) return address_kind(std::span(bytes).first(4));
  REQUIRE(::inet_pton(AF_INET6, text, bytes.data()) == 1);
  return address_kind(bytes);
}

HttpOptions options_for(const std::string& url) {
  return {.url = parse_url(url), .timeout = 10, .retries = 2, .backoff = {.first = 0.01, .longest = 0.05}};
}

bool has(const HttpReply& reply, std::string_view part) { return reply.error.find(part) != std::string::npos; }

/// Answers every request with a redirect, but for the target /there.
FaultServer::Handler redirects_to(const std::string& location, std::string status = "307 Temporary Redirect") {
  return [location, status](Peer& peer) {
    for (std::string request = peer.request(); !request.empty(); request = peer.request()) {
      if (request.starts_with("POST /there ")) {
        peer.reply("found with " + std::to_string(test::body_of(request).size()) + " bytes, token " +
                   test::header_of(request, "Authorization"));
      } else {
        peer.reply("", status, "Location: " + location + "\r\n");
      }
    }
  };
}

}  // namespace

TEST_CASE("http: kinds of addresses") {
  using enum AddressKind;
  for (const char* text : {"8.8.8.8", "172.15.255.255", "172.32.0.0", "100.128.0.0", "169.253.0.1", "2606:4700::1111",
                           "::ffff:8.8.8.8", "64:ff9b::808:808"}) {
    CHECK_MESSAGE(kind_of(text) == global, text);
  }
  for (const char* text : {"127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "::1", "::", "::ffff:127.0.0.1", "::127.0.0.1",
                           "2002:7f00:1::", "64:ff9b::7f00:1"}) {
    CHECK_MESSAGE(kind_of(text) == loopback, text);
  }
  for (const char* text : {"10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "100.100.100.200", "198.18.0.1",
                           "192.0.2.1", "fd00:ec2::254", "fc00::1", "fec0::1", "::ffff:10.0.0.1", "2001:db8::1", "64:ff9b:1::1"}) {
    CHECK_MESSAGE(kind_of(text) == internal, text);
  }
  for (const char* text : {"169.254.169.254", "169.254.0.1", "fe80::1", "febf::1", "::ffff:169.254.169.254", "2002:a9fe:a9fe::",
                           "64:ff9b::a9fe:a9fe"}) {
    CHECK_MESSAGE(kind_of(text) == link_local, text);
  }
  for (const char* text : {"224.0.0.1", "255.255.255.255", "240.0.0.1", "ff02::1"}) {
    CHECK_MESSAGE(kind_of(text) == not_a_host, text);
  }
}

TEST_CASE("http: a url that must not be private is refused before a connection is made, however it is written") {
  const Bounded bounded;
  FaultServer server([](Peer& peer) { peer.request(); });
  const std::string port = std::to_string(server.port());
  for (const std::string host : {"127.0.0.1", "localhost", "2130706433", "0x7f.1", "0177.0.0.1", "[::ffff:127.0.0.1]", "0.0.0.0"}) {
    HttpOptions options = options_for("http://" + host + ":" + port + "/");
    options.any_address = false;
    HttpClient client(options);
    const HttpReply reply = client.post("{}");
    CHECK_MESSAGE(reply.reason == "refused", host << ": " << reply.error);
    CHECK(has(reply, "this machine"));
    CHECK(client.counts().connects == 0);
  }
  CHECK(server.connections() == 0);
}

TEST_CASE("http: a redirect within the service is followed, with body and token") {
  const Bounded bounded;
  for (const std::string status : {"307 Temporary Redirect", "308 Permanent Redirect"}) {
    FaultServer server(redirects_to("/there", status));
    HttpOptions options = options_for(server.url());
    options.token = "t";
    HttpClient client(options);
    CHECK(client.post("{\"a\":1}").body == "found with 7 bytes, token Bearer t");
    CHECK(client.counts().connects == 1);
  }
}

TEST_CASE("http: redirects that would lose the body, or go round, are errors") {
  const Bounded bounded;
  for (const std::string status : {"301 X", "302 X", "303 X"}) {
    FaultServer server(redirects_to("/there", status));
    HttpClient client(options_for(server.url()));
    const HttpReply reply = client.post("{}");
    CHECK(reply.reason == "http");
    CHECK_MESSAGE(has(reply, "a redirect to \"/there\" that would lose the request's body"), reply.error);
  }
  FaultServer server(redirects_to("/again"));
  HttpClient client(options_for(server.url()));
  const HttpReply reply = client.post("{}");
  CHECK(reply.reason == "refused");
  CHECK(has(reply, "more than 3 redirects"));
}

TEST_CASE("http faults: redirects to files, other schemes and the addresses of others are refused without connecting") {
  const Bounded bounded;
  FaultServer other([](Peer& peer) { peer.request(); });
  const std::string here = ":" + std::to_string(other.port()) + "/";
  struct Case {
    std::string location, why;
  };
  for (const auto& [location, why] : {
           Case{"file:///etc/passwd", "changes the scheme"},
           Case{"https://127.0.0.1/", "changes the scheme"},
           Case{"gopher://127.0.0.1" + here, "changes the scheme"},
           Case{"http://169.254.169.254/latest/meta-data/", "a link-local address"},
           Case{"//169.254.169.254/latest/meta-data/", "a link-local address"},
           Case{"http://2852039166/latest/meta-data/", "169.254.169.254, a link-local address"},
           Case{"http://0xA9FEA9FE/", "169.254.169.254, a link-local address"},
           Case{"http://[::ffff:169.254.169.254]/", "a link-local address"},
           Case{"http://[fe80::1]/", "a link-local address"},
           Case{"http://127.0.0.1" + here, "this machine"},
           Case{"http://localhost" + here, "this machine"},
           Case{"http://10.0.0.1/", "a private network"},
           Case{"http://224.0.0.1/", "no address of a single host"},
           Case{"http://user:word@h/", "no user name or password"},
       }) {
    CAPTURE(location);
    FaultServer server(redirects_to(location));
    HttpClient client(options_for(server.url()));
    const HttpReply reply = client.post("{}");
    CHECK(reply.reason == "refused");
    CHECK_MESSAGE(has(reply, why), reply.error);
    CHECK(client.counts().connects == 1);
  }
  CHECK(other.connections() == 0);
}

}  // namespace hone

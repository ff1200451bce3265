#include <doctest/doctest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>

#include <filesystem>
#include <memory>

#include "plugin/http/client.h"
#include "tests/support/fault_server.h"
#include "tests/support/scratch.h"

/// https: a certificate is accepted for the host that it names, while it is valid, when its issuer is trusted.
namespace hone {

namespace {

using test::Bounded;
using test::FaultServer;
using test::Peer;

template <auto release>
struct Release {
  template <class T>
  void operator()(T* pointer) const { release(pointer); }
};
using Key = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Release<X509_free>>;
using Context = std::unique_ptr<SSL_CTX, Release<SSL_CTX_free>>;
using Stream = std::unique_ptr<SSL, Release<SSL_free>>;

void add_extension(X509* certificate, int nid, const std::string& value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
  REQUIRE(extension != nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

/// Signed by `issuer`, or by itself. `names`: "DNS:localhost,IP:127.0.0.1", or "" for an authority.
struct Identity {
  Identity(const std::string& subject, const std::string& names, const Identity* issuer, long from = -3600, long to = 3600)
      : key(EVP_EC_gen("P-256")), certificate(X509_new()) {
    X509* made = certificate.get();
    X509_set_version(made, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made), issuer == nullptr ? 1 : 2);
    X509_gmtime_adj(X509_getm_notBefore(made), from);
    X509_gmtime_adj(X509_getm_notAfter(made), to);
    X509_set_pubkey(made, key.get());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(subject.c_str()), -1, -1, 0);
    X509_set_issuer_name(made, X509_get_subject_name(issuer == nullptr ? made : issuer->certificate.get()));
    add_extension(made, NID_basic_constraints, names.empty() ? "critical,CA:TRUE" : "CA:FALSE");
    if (!names.empty()) add_extension(made, NID_subject_alt_name, names);
    REQUIRE(X509_sign(made, issuer == nullptr ? key.get() : issuer->key.get(), EVP_sha256()) > 0);
  }

  void write(const std::filesystem::path& path) const {
    std::FILE* file = std::fopen(path.c_str(), "wb");
    REQUIRE(file != nullptr);
    PEM_write_X509(file, certificate.get());
    std::fclose(file);
  }

  Key key;
  Certificate certificate;
};

/// Serves TLS with this identity: reads a request, answers `body`.
FaultServer::Handler tls_service(const Identity& identity, std::string* server_name = nullptr) {
  const std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  SSL_CTX_use_certificate(context.get(), identity.certificate.get());
  SSL_CTX_use_PrivateKey(context.get(), identity.key.get());
  ::signal(SIGPIPE, SIG_IGN);  // SSL_write knows no MSG_NOSIGNAL
  return [context, server_name](Peer& peer) {
    const timeval limit{5, 0};
    ::setsockopt(peer.fd(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    const Stream stream(SSL_new(context.get()));
    SSL_set_fd(stream.get(), peer.fd());
    if (SSL_accept(stream.get()) != 1) return;
    const char* name = SSL_get_servername(stream.get(), TLSEXT_NAMETYPE_host_name);
    if (server_name != nullptr) *server_name = name == nullptr ? "" : name;
    const std::string_view reply = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret";
    char bytes[65536];
    while (SSL_read(stream.get(), bytes, sizeof bytes) > 0) SSL_write(stream.get(), reply.data(), static_cast<int>(reply.size()));
  };
}

HttpReply post_to(const FaultServer& server, const std::string& host, const std::string& ca_file) {
  HttpOptions options{.url = parse_url("https://" + host + ":" + std::to_string(server.port()) + "/v1/score"),
                      .timeout = 10,
                      .retries = 2,
                      .ca_file = ca_file,
                      .backoff = {.first = 0.01, .longest = 0.05}};
  HttpClient client(options);
  client.post("{}");
  return client.post("{}");
}

void check_refused(const HttpReply& reply, std::string_view why) {
  CHECK(reply.reason == "protocol");
  CHECK(reply.body.empty());
  CHECK_MESSAGE(reply.error.find("is not accepted") != std::string::npos, reply.error);
  CHECK_MESSAGE(reply.error.find(why) != std::string::npos, reply.error);
}

}  // namespace

TEST_CASE("http faults: certificates that do not fit are refused before anything is sent") {
  const Bounded bounded;
  const test::Scratch scratch;
  const std::string ca_file = scratch.path() / "ca.pem";
  const Identity authority("hone test authority", "", nullptr);
  authority.write(ca_file);
  const std::string both = "DNS:localhost,IP:127.0.0.1";

  SUBCASE("a good one is accepted, by name and by address, and the connection is kept") {
    std::string server_name;
    const Identity good("service", both, &authority);
    FaultServer server(tls_service(good, &server_name));
    CHECK(post_to(server, "localhost", ca_file).body == "secret");
    CHECK(server_name == "localhost");
    CHECK(server.connections() == 1);
    CHECK(post_to(server, "127.0.0.1", ca_file).body == "secret");
    CHECK(server_name.empty());
  }
  SUBCASE("the issuer is unknown to the system") {
    const Identity good("service", both, &authority);
    FaultServer server(tls_service(good));
    check_refused(post_to(server, "localhost", ""), "certificate");
    CHECK(server.connections() == 2);  // no further tries
  }
  SUBCASE("signed by itself") {
    const Identity own("localhost", both, nullptr);
    FaultServer server(tls_service(own));
    check_refused(post_to(server, "localhost", ca_file), "self-signed");
  }
  SUBCASE("of another host") {
    const Identity other("service", "DNS:elsewhere.example,IP:10.0.0.1", &authority);
    FaultServer server(tls_service(other));
    check_refused(post_to(server, "localhost", ca_file), "hostname mismatch");
    check_refused(post_to(server, "127.0.0.1", ca_file), "IP address mismatch");
  }
  SUBCASE("expired, or not yet valid") {
    const Identity old("service", both, &authority, -7200, -3600);
    FaultServer server(tls_service(old));
    check_refused(post_to(server, "localhost", ca_file), "expired");
    const Identity early("service", both, &authority, 3600, 7200);
    FaultServer early_server(tls_service(early));
    check_refused(post_to(early_server, "localhost", ca_file), "not yet valid");
  }
}

TEST_CASE("http faults: a server that speaks no TLS, or hangs in the handshake") {
  const Bounded bounded;
  FaultServer plain([](Peer& peer) { peer.reply("{}", "400 Bad Request"); });
  const HttpReply reply = post_to(plain, "127.0.0.1", "");
  CHECK(reply.reason == "http");
  CHECK_MESSAGE(reply.error.find("TLS") != std::string::npos, reply.error);

  FaultServer silent([](Peer& peer) { peer.wait_for_close(); });
  HttpClient client({.url = parse_url("https://127.0.0.1:" + std::to_string(silent.port()) + "/"), .timeout = 0.5});
  const HttpReply late = client.post("{}");
  CHECK(late.reason == "timeout");
  CHECK_MESSAGE(late.error.find("in the TLS handshake") != std::string::npos, late.error);
}

}  // namespace hone

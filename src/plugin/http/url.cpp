#include "plugin/http/url.h"

#include <algorithm>
#include <charconv>

#include "base/error.h"

namespace hone {

namespace {

constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view digits = "0123456789";

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return result;
}

/// "https" of "https://host"; "" when there is no scheme.
std::string scheme_of(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == 0 || colon == std::string_view::npos) return "";
  std::string scheme = lower(text.substr(0, colon));
  if (alphabet.find(scheme[0]) == std::string_view::npos) return "";
  const auto allowed = [](char c) {
    return alphabet.find(c) != std::string_view::npos || std::string_view("0123456789+-.").find(c) != std::string_view::npos;
  };
  return std::ranges::all_of(scheme, allowed) ? scheme : "";
}

std::uint16_t parse_port(std::string_view text, std::string_view whole) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port < 1 || port > 65535) {
    fail(ErrorKind::config, "url \"{}\": expected a port from 1 to 65535, got \"{}\"", whole, text);
  }
  return static_cast<std::uint16_t>(port);
}

void check_characters(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= ' ' || static_cast<unsigned char>(c) >= 127) {
      fail(ErrorKind::config, "url \"{}\": white space, control and non-ASCII characters must be percent-encoded", text);
    }
  }
}

void set_host(Url& url, std::string_view authority, std::string_view whole) {
  if (authority.find('@') != std::string_view::npos) {
    fail(ErrorKind::config, "url: no user name or password belongs in it (before \"@\"); a token comes from token_env");
  }
  url.port = url.tls ? 443 : 80;
  std::string_view host = authority;
  std::string_view rest;
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) fail(ErrorKind::config, "url \"{}\": \"[\" without \"]\"", whole);
    host = authority.substr(1, close - 1);
    rest = authority.substr(close + 1);
  } else if (const std::size_t colon = authority.find(':'); colon != std::string_view::npos) {
    host = authority.substr(0, colon);
    rest = authority.substr(colon);
  }
  if (!rest.empty()) {
    if (rest[0] != ':') fail(ErrorKind::config, "url \"{}\": expected \":port\" after the host, got \"{}\"", whole, rest);
    url.port = parse_port(rest.substr(1), whole);
  }
  url.host = lower(host);
  const std::string allowed = authority.starts_with('[') ? "abcdef:." : std::string(alphabet) + "-._";
  const bool good = std::ranges::all_of(url.host, [&](char c) {
    return allowed.find(c) != std::string::npos || digits.find(c) != std::string_view::npos;
  });
  if (url.host.empty() || !good) fail(ErrorKind::config, "url \"{}\": \"{}\" is no host name or address", whole, host);
}

}  // namespace

std::string Url::authority() const {
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return port == (tls ? 443 : 80) ? name : fmt::format("{}:{}", name, port);
}

Url parse_url(std::string_view text) {
  check_characters(text);
  const std::string scheme = scheme_of(text);
  Url url;
  url.tls = scheme == "https";
  if ((scheme != "http" && scheme != "https") || text.substr(scheme.size(), 3) != "://") {
    fail(ErrorKind::config, "url \"{}\": expected http://host[:port]/path or https://…", text);
  }
  std::string_view rest = text.substr(scheme.size() + 3);
  rest = rest.substr(0, rest.find('#'));
  const std::size_t path = std::min(rest.find_first_of("/?"), rest.size());
  set_host(url, rest.substr(0, path), text);
  url.target = rest.substr(path);
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  return url;
}

Url redirected(const Url& base, std::string_view location) {
  if (location.starts_with("//")) return parse_url(base.scheme() + ":" + std::string(location));
  if (const std::string scheme = scheme_of(location); !scheme.empty()) {
    if (scheme != base.scheme()) {
      fail(ErrorKind::config, "a redirect from {} to \"{}\" changes the scheme", base.scheme(), location);
    }
    return parse_url(location);
  }
  check_characters(location);
  Url url = base;
  const std::string path = base.target.substr(0, base.target.find('?'));
  const std::string_view wanted = location.substr(0, location.find('#'));
  if (wanted.starts_with('/')) {
    url.target = wanted;
  } else if (wanted.starts_with('?')) {
    url.target = path + std::string(wanted);
  } else if (!wanted.empty()) {
    url.target = path.substr(0, path.rfind('/') + 1) + std::string(wanted);
  }
  return url;
}

}  // namespace hone

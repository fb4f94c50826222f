#include <ringwall/session/site.h>

#include "unit/catch.h"
#include "unit/http/heads.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace ringwall::session {
namespace {

// A webroot that goes away.
class Webroot {
 public:
  Webroot() {
    path_ = std::filesystem::temp_directory_path() / "ringwall-webroot-XXXXXX";
    REQUIRE(mkdtemp(path_.data()) != nullptr);
    std::filesystem::create_directories(challenges());
  }
  Webroot(const Webroot&) = delete;
  Webroot& operator=(const Webroot&) = delete;
  ~Webroot() { std::filesystem::remove_all(path_); }

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string challenges() const { return path_ + "/.well-known/acme-challenge"; }
  void write(const std::string& file, std::string_view text) const { std::ofstream(file, std::ios::binary) << text; }
  [[nodiscard]] std::optional<std::string> read(std::string_view token) const {
    return read_acme_challenge(path_, std::string(acme_prefix).append(token));
  }

 private:
  std::string path_;
};

TEST_CASE("the page names the endpoint's address and links to Polkadot.js Apps with it") {
  const std::string page = page_html("rpc.example.com:8443", true, false);
  CHECK(page.contains("<code>wss://rpc.example.com:8443</code>"));
  CHECK(page.contains("href=\"https://polkadot.js.org/apps/?rpc=wss%3A%2F%2Frpc.example.com%3A8443\""));
  CHECK(page_html("rpc.example.com", false, false).contains("<code>ws://rpc.example.com</code>"));
}

TEST_CASE("a tunnel's page promises no JSON-RPC") {
  for (const std::string& page : {page_html("p2p.example.com", true, true), page_text("p2p.example.com", true, true)}) {
    CHECK(page.contains("wss://p2p.example.com"));
    CHECK_FALSE(page.contains("JSON-RPC"));
    CHECK_FALSE(page.contains("polkadot.js"));
  }
}

TEST_CASE("a page's address has the request's path where it would not lead there without") {
  config::Listener listener;
  listener.routes = {{.path = "/p2p*", .mode = config::Mode::tunnel}, {.path = "/kusama"}, {.path = "/same"}};
  listener.routes[1].upstream_index = 1;
  CHECK(page_path(listener, "", "/p2p") == "/p2p");
  CHECK(page_path(listener, "", "/p2p/a-b_c.d~%20:@") == "/p2p/a-b_c.d~%20:@");
  CHECK(page_path(listener, "", "/kusama") == "/kusama");
  CHECK(page_path(listener, "", "/same") == "");
  CHECK(page_path(listener, "", "/anything") == "");
  CHECK(page_path(listener, "", "/") == "");
  listener.mode = config::Mode::tunnel;
  CHECK(page_path(listener, "", "/anything") == "/anything");
  CHECK(page_path(listener, "", "/") == "");
}

TEST_CASE("a path that is long or could be more than a path stays out of the page") {
  config::Listener listener;
  listener.mode = config::Mode::tunnel;
  for (const char* path : {"/<b>", "/a\"b", "/a'b", "/a&b", "/$(x)", "/a;b", "/a\x80", "*", ""}) {
    INFO(path);
    CHECK(page_path(listener, "", path) == "");
  }
  CHECK(page_path(listener, "", "/" + std::string(255, 'a')).size() == 256);
  CHECK(page_path(listener, "", "/" + std::string(256, 'a')) == "");
}

TEST_CASE("the path of a route is in the page and in its link") {
  CHECK(page_text("a.example:8443/p2p", true, true).contains("wss://a.example:8443/p2p\n"));
  const std::string page = page_html("a.example/kusama", true, false);
  CHECK(page.contains("<code>wss://a.example/kusama</code>"));
  CHECK(page.contains("rpc=wss%3A%2F%2Fa.example%2Fkusama\""));
}

TEST_CASE("what a client sends is escaped in the page, as text and as a link") {
  const std::string page = page_html("a\"><script>alert('&')</script>", true, false);
  CHECK_FALSE(page.contains("<script>"));
  CHECK(page.contains("wss://a&quot;&gt;&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;"));
  CHECK(page.contains("rpc=wss%3A%2F%2Fa%22%3E%3Cscript%3Ealert%28%27%26%27%29%3C%2Fscript%3E\""));
}

TEST_CASE("the text for programs says the same") {
  const std::string text = page_text("[2001:db8::1]:8443", true, false);
  CHECK(text.contains("wss://[2001:db8::1]:8443,"));
  CHECK(text.contains("rpc=wss%3A%2F%2F%5B2001%3Adb8%3A%3A1%5D%3A8443\n"));
}

TEST_CASE("a browser is known by what it accepts") {
  const auto accepts = [](const std::string& field) {
    const std::string text = "GET / HTTP/1.1\r\nHost: a\r\n" + field + "\r\n";
    return accepts_html(http::request_of(text));
  };
  CHECK(accepts("Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n"));
  CHECK_FALSE(accepts("Accept: */*\r\n"));
  CHECK_FALSE(accepts("Accept: application/json\r\n"));
  CHECK_FALSE(accepts(""));
}

TEST_CASE("the redirect keeps host, path and query, and leaves the port") {
  const auto location = [](const std::string& target, const std::string& host, std::string_view name = "") {
    const std::string text = "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
    return redirect_location(http::request_of(text), name).value_or("none");
  };
  CHECK(location("/", "example.com") == "https://example.com/");
  CHECK(location("/a/b?c=d&e", "example.com:80") == "https://example.com/a/b?c=d&e");
  CHECK(location("/?", "example.com") == "https://example.com/?");
  CHECK(location("/", "[2001:db8::1]:8080") == "https://[2001:db8::1]/");
  CHECK(location("/x", "192.0.2.1:80", "rpc.example.com:8443") == "https://rpc.example.com:8443/x");
  CHECK(location("//evil.example/", "example.com") == "https://example.com//evil.example/");
  CHECK(location("http://example.com/x?y", "example.com") == "https://example.com/x?y");
}

TEST_CASE("the redirect knows the port of https, unless ports are mapped on the way") {
  const auto port = [](std::uint16_t own, std::uint16_t tls, std::string_view host) {
    const config::Listener redirect{.address = {"", own}, .kind = config::ListenerKind::redirect};
    const std::vector<config::Listener> listeners{redirect, {.address = {"", tls}}};
    return https_port_of(listeners, redirect, host);
  };
  CHECK(port(80, 443, "example.com") == 443);
  CHECK(port(80, 8443, "example.com") == 8443);
  CHECK(port(8080, 8443, "[::1]:8080") == 8443);
  CHECK(port(8080, 8443, "example.com") == 443);
  CHECK(port(8080, 8443, "example.com:80") == 443);
  CHECK(https_port_of({}, {.address = {"", 80}}, "example.com") == 443);

  const std::string text = "GET /x HTTP/1.1\r\nHost: example.com:8080\r\n\r\n";
  CHECK(redirect_location(http::request_of(text), "", 8443) == "https://example.com:8443/x");
  CHECK(redirect_location(http::request_of(text), "a.example", 8443) == "https://a.example/x");
}

TEST_CASE("the redirect of a request for the whole server points to its root") {
  const std::string text = "OPTIONS * HTTP/1.1\r\nHost: example.com\r\n\r\n";
  CHECK(redirect_location(http::request_of(text), "") == "https://example.com/");
}

TEST_CASE("there is no redirect without a host, unless the operator has named one") {
  const std::string text = "GET /x HTTP/1.0\r\n\r\n";
  const http::RequestHead head = http::request_of(text);
  CHECK_FALSE(redirect_location(head, ""));
  CHECK(redirect_location(head, "rpc.example.com") == "https://rpc.example.com/x");
}

TEST_CASE("a challenge is read as it is") {
  const Webroot webroot;
  webroot.write(webroot.challenges() + "/aZ09-_", "token.thumbprint\n");
  CHECK(webroot.read("aZ09-_") == "token.thumbprint\n");
  webroot.write(webroot.challenges() + "/empty", "");
  CHECK(webroot.read("empty") == "");
  webroot.write(webroot.challenges() + "/" + std::string(255, 'a'), "the longest name of a file");
  CHECK(webroot.read(std::string(255, 'a')) == "the longest name of a file");
}

TEST_CASE("only a token names a challenge") {
  const Webroot webroot;
  webroot.write(webroot.challenges() + "/token", "x");
  webroot.write(webroot.challenges() + "/.hidden", "x");
  webroot.write(webroot.challenges() + "/with.dot", "x");
  webroot.write(webroot.challenges() + "/100%", "x");
  std::filesystem::create_directory(webroot.challenges() + "/folder");
  webroot.write(webroot.challenges() + "/folder/token", "x");
  webroot.write(webroot.path() + "/secret", "x");
  for (const std::string_view token :
       {"", "other", ".hidden", "with.dot", "100%", "folder/token", "../acme-challenge/token", "../../secret", "..",
        ".", "%2e%2e/secret", "token/", "/token", "token/../token", "./token", "token?", "t\xc3\xb6ken"}) {
    INFO(token);
    CHECK_FALSE(webroot.read(token));
  }
  CHECK_FALSE(webroot.read(std::string_view("token\0", 6)));
  CHECK_FALSE(webroot.read(std::string(256, 'a')));
  CHECK_FALSE(webroot.read(std::string(100'000, 'a')));
  CHECK(webroot.read("token"));
}

TEST_CASE("a path outside of the challenges, or no webroot, has none") {
  const Webroot webroot;
  webroot.write(webroot.challenges() + "/token", "x");
  CHECK_FALSE(read_acme_challenge(webroot.path(), "/token"));
  CHECK_FALSE(read_acme_challenge(webroot.path(), "/.well-known/acme-challenge"));
  CHECK_FALSE(read_acme_challenge(webroot.path(), "/x/.well-known/acme-challenge/token"));
  CHECK_FALSE(read_acme_challenge("", "/.well-known/acme-challenge/token"));
  CHECK_FALSE(read_acme_challenge(webroot.path() + "/none", "/.well-known/acme-challenge/token"));
}

TEST_CASE("a challenge of 4 KiB is served whole, and one that is larger not in part") {
  const Webroot webroot;
  webroot.write(webroot.challenges() + "/largest", std::string(4096, 'x'));
  CHECK(webroot.read("largest") == std::string(4096, 'x'));
  webroot.write(webroot.challenges() + "/larger", std::string(4097, 'x'));
  CHECK_FALSE(webroot.read("larger"));
}

TEST_CASE("what is not a file of its own is not served, and does not hold us up") {
  const Webroot webroot;
  webroot.write(webroot.path() + "/secret", "x");
  REQUIRE(mkfifo((webroot.challenges() + "/pipe").c_str(), 0600) == 0);
  std::filesystem::create_directory(webroot.challenges() + "/folder");
  std::filesystem::create_symlink(webroot.path() + "/secret", webroot.challenges() + "/link");
  std::filesystem::create_symlink("nowhere", webroot.challenges() + "/dangling");
  std::filesystem::create_symlink("/dev/zero", webroot.challenges() + "/endless");
  for (const char* token : {"pipe", "folder", "link", "dangling", "endless"}) {
    INFO(token);
    CHECK_FALSE(webroot.read(token));
  }
}

}  // namespace
}  // namespace ringwall::session

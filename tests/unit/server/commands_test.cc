#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include <ringwall/config/sample.h>
#include <ringwall/server/offload.h>
#include <ringwall/server/options.h>

#include "unit/catch.h"
#include "unit/server/captured.h"

using namespace ringwall;
using namespace ringwall::server;

namespace {

// A folder for one test, removed with the files that it may hold.
class Folder {
 public:
  Folder() { REQUIRE(::mkdtemp(path_.data()) != nullptr); }
  ~Folder() {
    for (const char* name : {"cert.pem", "key.pem", "other.pem", "otherkey.pem", "ringwall.toml"}) {
      ::unlink((*this / name).c_str());
    }
    ::rmdir(path_.c_str());
  }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_ = "/tmp/ringwall-server-XXXXXX";
};

std::string content(const std::string& file) {
  std::stringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

Options cert_options(const Folder& folder, const char* cert = "cert.pem", const char* key = "key.pem") {
  Options options{.command = Command::cert};
  options.cert.names = {"localhost", "127.0.0.1"};
  options.cert.cert_file = folder / cert;
  options.cert.key_file = folder / key;
  return options;
}

// What `ringwall check` prints for one TLS listener with these files, and its exit code before it.
std::string check(const std::string& cert, const std::string& key) {
  Options options{.command = Command::check};
  options.sources.command_line = {{"--cert", "listener[0].certificate[0].cert", cert},
                                  {"--key", "listener[0].certificate[0].key", key}};
  Captured out(stdout);
  const int code = run_check(options);
  return std::to_string(code) + " " + out.text();
}

}  // namespace

TEST_CASE("cert writes a certificate and a key that only its owner may read, and check takes them") {
  const Folder folder;
  Captured out(stdout);
  REQUIRE(run_cert(cert_options(folder)) == 0);
  struct stat status{};
  REQUIRE(::stat((folder / "key.pem").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK(content(folder / "cert.pem").starts_with("-----BEGIN CERTIFICATE-----"));
  CHECK(check(folder / "cert.pem", folder / "key.pem").starts_with("0 configuration: good: 1 listener, 1 upstream"));
}

TEST_CASE("cert does not overwrite what is there") {
  const Folder folder;
  Captured out(stdout);
  Captured error(stderr);
  REQUIRE(run_cert(cert_options(folder)) == 0);
  const std::string key = content(folder / "key.pem");
  CHECK(run_cert(cert_options(folder)) == 1);
  CHECK(run_cert(cert_options(folder, "other.pem")) == 1);
  CHECK(content(folder / "key.pem") == key);
  CHECK(error.text().find("expected no such file yet") != std::string::npos);
}

TEST_CASE("cert refuses what is no name, and a folder that is not there") {
  const Folder folder;
  Captured error(stderr);
  Options options = cert_options(folder);
  options.cert.names = {"not a name"};
  CHECK(run_cert(options) == 1);
  options = cert_options(folder, "none/cert.pem", "none/key.pem");
  CHECK(run_cert(options) == 1);
}

TEST_CASE("check refuses a key that is not the certificate's, which no single file can show") {
  const Folder folder;
  {
    Captured out(stdout);
    REQUIRE(run_cert(cert_options(folder)) == 0);
    REQUIRE(run_cert(cert_options(folder, "other.pem", "otherkey.pem")) == 0);
  }
  const std::string said = check(folder / "cert.pem", folder / "otherkey.pem");
  CHECK(said == "1 --key: listener[0].certificate[0].key: found " + (folder / "otherkey.pem") +
                    ": is not the key of the certificate in " + (folder / "cert.pem") +
                    ", expected the key that the certificate was made with\n");
}

TEST_CASE("check prints each problem in a line of its own and ends with 1") {
  const Folder folder;
  std::ofstream(folder / "ringwall.toml") << "[[listener]]\naddress = 'x'\nself_signed = ['a']\n[server]\nshard = 1\n";
  Options options{.command = Command::check};
  options.sources.file = folder / "ringwall.toml";
  Captured out(stdout);
  CHECK(run_check(options) == 1);
  const std::string file = folder / "ringwall.toml";
  CHECK(out.text() == file +
                          ":2: listener[0].address: found \"x\", expected ADDR:PORT such as 0.0.0.0:443, [::1]:443 or "
                          "*:443\n" +
                          file +
                          ":5: server.shard: found an unknown field, expected a known one, server.shards perhaps\n");
}

TEST_CASE("check asks this machine's kernel for tls.offload = kernel, where TLS is spoken at all") {
  const Folder folder;
  const std::string file = folder / "ringwall.toml";
  Options options{.command = Command::check};
  options.sources.file = file;
  const std::optional<Obstacle> met = obstacle(try_kernel_tls());
  std::ofstream(file) << "[[listener]]\nself_signed = ['a']\n[tls]\noffload = 'kernel'\n";
  {
    Captured out(stdout);
    CHECK(run_check(options) == (met ? 1 : 0));
    CHECK(out.text() == (met ? file + ":4: tls.offload: found \"kernel\", but " + met->found + ", expected " +
                                   met->remedy + ", or \"auto\" or \"user\"\n"
                             : file + ": good: 1 listener, 1 upstream\n"));
  }
  std::ofstream(file) << "[[listener]]\nkind = 'plain'\n[tls]\noffload = 'kernel'\n";
  Captured out(stdout);
  CHECK(run_check(options) == 0);
}

TEST_CASE("config prints the sample, and check accepts it") {
  const Folder folder;
  std::string printed;
  {
    Captured out(stdout);
    REQUIRE(run_config({.command = Command::config}) == 0);
    printed = out.text();
  }
  CHECK(printed == config::sample());
  std::ofstream(folder / "ringwall.toml") << printed;
  Options options{.command = Command::check};
  options.sources.file = folder / "ringwall.toml";
  Captured out(stdout);
  CHECK(run_check(options) == 0);
  CHECK(out.text() == (folder / "ringwall.toml") + ": good: 1 listener, 1 upstream\n");
}

TEST_CASE("doctor prints a line for each finding and a verdict") {
  Captured out(stdout);
  const int code = run_doctor({.command = Command::doctor});
  const std::string text = out.text();
  CHECK(text.find("io_uring") != text.npos);
  CHECK(text.ends_with(code == 0 ? "\nRingwall can run here.\n" : "marked BAD is put right.\n"));
}

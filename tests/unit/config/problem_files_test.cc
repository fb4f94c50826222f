// What load() says of files that it is led to: certificates, webroots, and the configuration's own.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "problems.h"

using namespace ringwall::config;
using namespace ringwall::config::test;

namespace {

// A folder for one test, removed with what was written into it.
class Folder {
 public:
  Folder() { REQUIRE(::mkdtemp(path_.data()) != nullptr); }
  ~Folder() {
    for (const std::string& file : files_) {
      ::unlink(file.c_str());
    }
    ::rmdir(path_.c_str());
  }
  std::string write(const std::string& name, const std::string& text) {
    files_.push_back(path_ + "/" + name);
    std::ofstream(files_.back()) << text;
    return files_.back();
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_ = "/tmp/ringwall-config-XXXXXX";
  std::vector<std::string> files_;
};

}  // namespace

TEST_CASE("certificates that are missing or no files are told before anything starts") {
  Folder folder;
  const std::string pem = folder.write("a.pem", "x");
  Sources sources =
      from_text("[[listener]]\n[[listener.certificate]]\ncert = '" + folder.path() + "/none.pem'\nkey = '" +
                folder.path() + "'\n[[listener.certificate]]\ncert = '" + pem + "'\nkey = '" + pem + "'\n");
  sources.check_files = true;
  CHECK(problems(sources) == Lines{"r.toml:3: listener[0].certificate[0].cert: found \"" + folder.path() +
                                       "/none.pem\" (no such file or folder), expected a file that can be read",
                                   "r.toml:4: listener[0].certificate[0].key: found \"" + folder.path() +
                                       "\" (not a file), expected a file that can be read"});
}

TEST_CASE("a webroot that is no folder, and accounts that do not exist, are told") {
  Folder folder;
  Sources sources = from_text("[[listener]]\nkind='redirect'\nacme_webroot = '" + folder.write("f", "") +
                              "'\n[server]\nuser = 'no-such-account'\ngroup = 'no-such-group'\n");
  sources.check_files = true;
  CHECK(problems(sources).size() == 3);
}

TEST_CASE("a configuration that cannot be read is told as such") {
  Folder folder;
  const Lines missing = problems({.file = folder.path() + "/none.toml"});
  REQUIRE(missing.size() == 1);
  CHECK(missing[0].ends_with("(no such file or folder), expected a configuration file that can be read"));
  CHECK(problems({.file = folder.path()}).size() == 1);
  CHECK(problems({.file = "/dev/zero"}).size() == 1);
  const std::string large = folder.write("large.toml", std::string(config_bytes_max + 1, '#'));
  REQUIRE(problems({.file = large}).size() == 1);
  CHECK(problems({.file = large})[0].find("found more than 1048576 bytes") != std::string::npos);
}

TEST_CASE("a configuration is read from its file, and problems name that file") {
  Folder folder;
  const std::string file = folder.write("ringwall.toml", "[[listener]]\nself_signed = ['a']\nx = 1\n");
  CHECK(problems({.file = file}) ==
        Lines{file + ":3: listener[0].x: found an unknown field, expected one that \"ringwall config\" shows"});
  CHECK(load({.file = folder.write("good.toml", listener)}));
}

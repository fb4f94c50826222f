// temporary_folder.h: a folder for one test, removed with all that is in it.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "unit/catch.h"

namespace ringwall::test {

struct TemporaryFolder {
  TemporaryFolder() {
    REQUIRE(::mkdtemp(path.data()) != nullptr);
    path = std::filesystem::canonical(path).string();
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] std::string operator/(const std::string& name) const { return path + "/" + name; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path + "/" + name) << text;
    REQUIRE(std::filesystem::exists(path + "/" + name));
  }
  void link(const std::string& target, const std::string& name) const {
    std::filesystem::create_symlink(target, path + "/" + name);
  }
  void make_folder(const std::string& name) const { std::filesystem::create_directories(path + "/" + name); }
  void rename(const std::string& from, const std::string& to) const {
    std::filesystem::rename(path + "/" + from, path + "/" + to);
  }

  std::string path = "/tmp/ringwall-test-XXXXXX";
};

}  // namespace ringwall::test

#include <ringwall/admin/unix_socket.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "unit/catch.h"

using namespace ringwall;
using namespace ringwall::admin;

namespace {

struct Folder {
  Folder() {
    char name[] = "/tmp/ringwall-admin-XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    path = name;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string path;
};

bool accepts(const std::string& path) {
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  const bool connected = connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(socket);
  return connected;
}

}  // namespace

TEST_CASE("the socket is for its owner and group, and its file goes with it") {
  const Folder folder;
  const std::string path = folder.path + "/admin.sock";
  const Result<int> socket = listen_unix(path, geteuid(), getegid());
  REQUIRE(socket.has_value());
  CHECK_FALSE(std::filesystem::exists(path));
  REQUIRE(place_unix(path));
  struct stat there{};
  REQUIRE(lstat(path.c_str(), &there) == 0);
  CHECK(S_ISSOCK(there.st_mode));
  CHECK((there.st_mode & 0777) == 0660);
  CHECK(accepts(path));
  remove_unix(path);
  CHECK_FALSE(std::filesystem::exists(path));
  CHECK(std::filesystem::is_empty(folder.path));
  close(*socket);
}

TEST_CASE("a socket that nobody listens on any more is taken over") {
  const Folder folder;
  const std::string path = folder.path + "/admin.sock";
  const Result<int> former = listen_unix(path, geteuid(), getegid());
  REQUIRE(former.has_value());
  REQUIRE(place_unix(path));
  CHECK(is_listened_at(path));
  close(*former);
  CHECK_FALSE(is_listened_at(path));
  const Result<int> next = listen_unix(path, geteuid(), getegid());
  REQUIRE(next.has_value());
  REQUIRE(place_unix(path));
  CHECK(accepts(path));
  close(*next);
}

TEST_CASE("one that was never moved to its place leaves the one there alone, and nothing behind") {
  const Folder folder;
  const std::string path = folder.path + "/admin.sock";
  const Result<int> former = listen_unix(path, geteuid(), getegid());
  REQUIRE(former.has_value());
  REQUIRE(place_unix(path));
  const Result<int> next = listen_unix(path, geteuid(), getegid());
  REQUIRE(next.has_value());
  close(*next);
  CHECK(is_listened_at(path));
  remove_unix(path);
  CHECK(std::filesystem::is_empty(folder.path));
  close(*former);
}

TEST_CASE("what is there and no socket is left alone, and so is one of nobody") {
  const Folder folder;
  const std::string path = folder.path + "/admin.sock";
  std::ofstream(path) << "mine";
  const Result<int> socket = listen_unix(path, geteuid(), getegid());
  REQUIRE_FALSE(socket.has_value());
  CHECK(socket.error().message.find("no socket") != std::string::npos);
  remove_unix(path);
  CHECK(std::filesystem::file_size(path) == 4);
}

TEST_CASE("where no socket can be made, the error names the setting and the path") {
  const Result<int> socket = listen_unix("/nonexistent/admin.sock", geteuid(), getegid());
  REQUIRE_FALSE(socket.has_value());
  CHECK(socket.error().message.find("admin.socket /nonexistent/admin.sock") != std::string::npos);
}

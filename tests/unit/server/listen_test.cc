// Listening sockets: new ones, and those that came with the process.
#include <ringwall/server/listen.h>

#include "unit/catch.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace ringwall::server {
namespace {

// One as another program would have opened it; its port is the kernel's choice.
int listener_of_another(bool shares) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int one = 1;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE((!shares || setsockopt(socket, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) == 0));
  REQUIRE(bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(listen(socket, 1) == 0);
  return socket;
}

std::uint16_t port_of(int socket) {
  sockaddr_in address{};
  socklen_t bytes = sizeof address;
  REQUIRE(getsockname(socket, reinterpret_cast<sockaddr*>(&address), &bytes) == 0);
  return ntohs(address.sin_port);
}

bool listens(int socket) {
  int value = 0;
  socklen_t bytes = sizeof value;
  REQUIRE(getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &value, &bytes) == 0);
  return value == 1;
}

void close_all(const std::vector<int>& sockets) {
  for (const int socket : sockets) close(socket);
}

TEST_CASE("every inherited socket is kept, and more are opened beside them up to the count") {
  const int first = listener_of_another(true);
  const config::Endpoint endpoint{"127.0.0.1", port_of(first)};
  const Result<std::vector<int>> grown = listen_on(endpoint, 3, {first});
  REQUIRE(grown.has_value());
  CHECK(grown->size() == 3);
  CHECK(grown->front() == first);
  CHECK(std::ranges::all_of(*grown, [&](int socket) { return port_of(socket) == endpoint.port; }));
  const Result<std::vector<int>> same = listen_on(endpoint, 1, *grown);
  REQUIRE(same.has_value());
  CHECK(*same == *grown);
  CHECK_FALSE(listen_on(endpoint, 1).has_value());  // a program that was given none finds the address taken
  close_all(*grown);
}

TEST_CASE("sockets beside inherited ones listen only when they are told to") {
  const int first = listener_of_another(true);
  const Result<std::vector<int>> sockets = listen_on({"127.0.0.1", port_of(first)}, 3, {first});
  REQUIRE(sockets.has_value());
  CHECK(std::ranges::count_if(*sockets, listens) == 1);
  CHECK(std::ranges::all_of(*sockets, [](int socket) { return begin_to_listen(socket).has_value(); }));
  CHECK(std::ranges::count_if(*sockets, listens) == 3);
  close_all(*sockets);
}

TEST_CASE("begin_to_listen tells of what is no socket") { CHECK_FALSE(begin_to_listen(-1).has_value()); }

TEST_CASE("an inherited socket that shares its address with none is enough") {
  const int only = listener_of_another(false);
  const Result<std::vector<int>> sockets = listen_on({"127.0.0.1", port_of(only)}, 4, {only});
  REQUIRE(sockets.has_value());
  CHECK(*sockets == std::vector<int>{only});
  close_all(*sockets);
}

TEST_CASE("an inherited socket is waited on as one of our own") {
  const int only = listener_of_another(false);
  REQUIRE((fcntl(only, F_GETFL) & O_NONBLOCK) != 0);
  const Result<std::vector<int>> sockets = listen_on({"127.0.0.1", port_of(only)}, 1, {only});
  REQUIRE(sockets.has_value());
  CHECK((fcntl(only, F_GETFL) & O_NONBLOCK) == 0);
  close_all(*sockets);
}

}  // namespace
}  // namespace ringwall::server

// loopback.h: a TCP connection of this process with itself, to try on it what the kernel can do.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

namespace ringwall::server {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) {
      ::close(number_);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return number_; }

 private:
  int number_;
};

// A listening socket on loopback and a client that has connected to it; get() is -1 where that failed.
struct Loopback {
  Descriptor listener{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  Descriptor client{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  bool connected = false;

  Loopback() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t bytes = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    connected = ::bind(listener.get(), any, sizeof address) == 0 && ::listen(listener.get(), 1) == 0 &&
                ::getsockname(listener.get(), any, &bytes) == 0 && ::connect(client.get(), any, sizeof address) == 0;
  }
};

// Both ends of one.
struct LoopbackPair {
  Loopback link{};
  Descriptor server{link.connected ? ::accept4(link.listener.get(), nullptr, nullptr, SOCK_CLOEXEC) : -1};

  [[nodiscard]] bool connected() const { return server.get() >= 0; }
  [[nodiscard]] int client() const { return link.client.get(); }
};

}  // namespace ringwall::server

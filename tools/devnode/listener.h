// listener.h: the socket that clients connect to.
#pragma once

#include <ringwall/error.h>

#include <cstdint>
#include <string>

namespace ringwall::devnode {

class Listener {
 public:
  // `address` is "127.0.0.1:9944" or "[::1]:9944"; port 0 takes a free one. The error names what is wrong with it.
  [[nodiscard]] static Result<Listener> open(const std::string& address);
  Listener(Listener&& other) noexcept;
  Listener& operator=(Listener&&) = delete;
  ~Listener() { close(); }

  void close();

  [[nodiscard]] int socket() const { return socket_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] const std::string& address() const { return address_; }  // with the port that was taken

 private:
  Listener() = default;

  int socket_ = -1;
  std::uint16_t port_ = 0;
  std::string address_;
};

}  // namespace ringwall::devnode

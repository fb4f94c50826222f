// inherited.h: listening sockets that came with the process: from systemd (socket activation, or its store of
// descriptors, which keeps them over a restart), or from the process that this one takes over from (upgrade.h).
//
// All come the same way, as LISTEN_FDS descriptors from 3 on, and are told apart by the addresses that they are bound
// to. Owner: the server, from before it opens a descriptor of its own until all listeners are made. Source:
// sd_listen_fds(3).
#pragma once

#include <ringwall/config/config.h>

#include <string>
#include <vector>

namespace ringwall::server {

class Inherited {
 public:
  // Reads LISTEN_FDS, of this process if LISTEN_PID says so or if a predecessor gave them, and takes the variables
  // away.
  explicit Inherited(bool has_predecessor);
  ~Inherited() { close_left(); }
  Inherited(const Inherited&) = delete;
  Inherited& operator=(const Inherited&) = delete;

  // Those that listen on that address; the caller's from here.
  [[nodiscard]] std::vector<int> take(const config::Endpoint& endpoint);
  // Closes what is left, and says where it listened, if it did.
  [[nodiscard]] std::vector<std::string> close_left();

 private:
  std::vector<int> descriptors_;
};

}  // namespace ringwall::server

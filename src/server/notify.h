// notify.h: what systemd is told, by its notification protocol: datagrams of lines to $NOTIFY_SOCKET.
//
// Without that variable nothing is sent, and nothing of it can fail the program: a message that systemd does not take
// is lost. The protocol is a few lines and its library would be one more thing in every container, so there is none
// here. Owner: the server; any thread. Source: sd_notify(3), sd_watchdog_enabled(3), systemd.service(5)
// (NotifyAccess=main, FileDescriptorStoreMax=).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace ringwall::server {

class Notifier {
 public:
  // Reads NOTIFY_SOCKET and WATCHDOG_USEC. WATCHDOG_PID of another process turns the watchdog off.
  Notifier();

  void ready(std::string_view status) const;
  // READY=1 ends it, whether the new configuration was taken or not.
  void reloading() const;
  // `within_ms`: systemd waits so long for the end, and longer than TimeoutStopSec= if need be.
  void stopping(std::uint64_t within_ms) const;
  void alive() const;
  // The service goes on in that process.
  void main_process(pid_t pid) const;
  // Kept by systemd and given to the next start, as LISTEN_FDS, when this process ends. `name` has no colon.
  void keep(int descriptor, std::string_view name) const;
  void forget(std::string_view name) const;

  // How often alive() is due at least; 0: there is no watchdog.
  [[nodiscard]] std::uint64_t watchdog_ms() const { return watchdog_ms_; }

 private:
  void send(std::string_view text, int descriptor = -1) const;

  std::string path_;  // empty: nobody listens
  std::uint64_t watchdog_ms_ = 0;
};

}  // namespace ringwall::server

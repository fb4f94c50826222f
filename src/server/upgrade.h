// upgrade.h: a new process takes over from an old one, without a client noticing.
//
// On SIGUSR2 the old process starts its program anew, from where it was started and with the same arguments, which may
// be a newer version and read a changed configuration. The new one gets the listening sockets (inherited.h) and one end
// of a socket pair. It starts as always, serves, and says so; then the old one says that it is the main process now,
// accepts no more and drains. If the new one ends before that, or takes too long, the old one goes on as if nothing had
// been: until then both have the sockets, and neither closes them for the other. Those that only the new one has
// listen, and it accepts, once nothing can fail any more.
//
// While both wait at one socket the kernel wakes one of them for each client. Where that one gives up waiting just
// then, nobody is woken for whom it was told of. So whoever is left looks into the queues again: the new one once the
// old one has let go of every socket, and the old one when the new one has failed.
//
// Over the pair: from the old to the new, at once, the keys of session tickets (tls/ticket_keys.h) behind a text that
// names the version of both's format: others' are not taken; `taken_over`, after the new one's `ready`; and the end,
// when the old one has let go of the sockets, or is no more. Owner: the server, on its main thread. Source:
// posix_spawn(3).
#pragma once

#include <ringwall/error.h>
#include <ringwall/tls/ticket_keys.h>

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace ringwall::server {

// This program and its arguments, for the next one. The path is found at the start, when it is that of a file still:
// as it was started, so that a link beside it is followed anew. A confined process starts none from another folder.
class Program {
 public:
  Program();
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::vector<std::string> arguments() const;

 private:
  std::string path_;
};

// The old process' view.
class Successor {
 public:
  // `failed`: it has ended, or been ended by us, and is no more.
  enum class State : std::uint8_t { none, starting, ready, failed };

  Successor() = default;
  ~Successor();  // ends one that is starting
  Successor(const Successor&) = delete;
  Successor& operator=(const Successor&) = delete;

  // `sockets` stay the caller's. `variables` are added to the environment.
  [[nodiscard]] Result<void> start(const Program& program, const std::vector<int>& sockets, const tls::TicketKeys& keys,
                                   const std::vector<std::pair<std::string, std::string>>& variables,
                                   std::uint64_t now_ms);
  // What has become of it. After `failed` or none, start() may be called again.
  [[nodiscard]] State look(std::uint64_t now_ms);
  [[nodiscard]] bool is_starting() const { return state_ == State::starting; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  // To one that is ready: it is the main process from here. False: it has `failed`.
  [[nodiscard]] bool confirm();
  // Ends one that is starting: `failed`.
  void give_up();
  // To the same, which waits for it: this process accepts no more, and is at no socket any longer.
  void let_go();
  [[nodiscard]] bool is_waiting() const { return state_ == State::ready && pair_ >= 0; }

 private:
  State state_ = State::none;
  pid_t pid_ = -1;
  int pair_ = -1;
  std::uint64_t give_up_ms_ = 0;
};

// The new process' view; of one that takes over from nobody, it is not there.
class Predecessor {
 public:
  Predecessor();
  ~Predecessor();
  Predecessor(const Predecessor&) = delete;
  Predecessor& operator=(const Predecessor&) = delete;

  [[nodiscard]] bool is_there() const { return pair_ >= 0; }
  // The keys that its tickets were sealed with open them here too.
  void take_keys(tls::TicketKeys& keys) const;
  // Clients are served here. Waits until it has heard, but not long. One that has ended by no will of its own (then it
  // would have ended this one) leaves its place, too; false: it goes on itself.
  [[nodiscard]] bool say_ready();
  // After that: true once, when it has let go of the sockets or has ended; it is not there from then on.
  [[nodiscard]] bool has_let_go();

 private:
  int pair_;
};

}  // namespace ringwall::server

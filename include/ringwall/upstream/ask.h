// ask.h: questions of Ringwall's own to a node, over HTTP, on a thread that may wait.
//
// Each call blocks until the answer is there, the time for all of the conversation is over, or `stop_event` is
// readable. One connection serves all questions, unless the node closes it. An Error's sentence holds no text of the
// node's.
#pragma once

#include <ringwall/error.h>
#include <ringwall/upstream/reply.h>
#include <ringwall/upstream/target.h>

#include <chrono>
#include <cstdint>
#include <string_view>

namespace ringwall::upstream {

class Conversation {
 public:
  enum class Turn : std::uint8_t { more, last };

  // `target` outlives it; `timeout_ms` is for all of it, from here on.
  Conversation(const Target& target, int stop_event, std::uint32_t timeout_ms);
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;
  ~Conversation();

  // Tries the addresses of the target in their order until one takes the connection.
  [[nodiscard]] Result<void> connect();
  // Connects, where there is no connection, or where one that answered before fails now: no question may be one that
  // does harm twice. `call` is JSON. The answer is whole, and may have any status.
  [[nodiscard]] Result<ReplyReader> ask(std::string_view call, Turn turn);
  // After an Error: that nothing ever came back from there in time, or that there is no way to it. Who refuses, or says
  // what is wrong, is not silent.
  [[nodiscard]] bool is_silent() const { return is_silent_ && !was_heard_; }

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] Result<void> connect_to(const ring::SocketAddress& address, Clock::time_point deadline);
  [[nodiscard]] Result<void> wait(short events, Clock::time_point deadline);
  [[nodiscard]] Result<void> send_all(std::string_view bytes);
  [[nodiscard]] Result<ReplyReader> exchange(std::string_view request, Turn turn);
  [[nodiscard]] Result<ReplyReader> receive();
  void close_socket();

  const Target& target_;
  const int stop_event_;
  const Clock::time_point deadline_;
  int socket_ = -1;
  bool has_answered_ = false;  // over this socket
  bool is_silent_ = false;     // so it was the last time that it was waited for
  bool was_heard_ = false;     // over any
};

}  // namespace ringwall::upstream

// play.h: what is acted on a Stage, and how it is told.
//
// A play is a function that does something with the ring, and the story that Linux tells of it. A story is one line a
// completion, in the order of the operations and not of time, since that is all that is promised.
#pragma once

#include "sim/kernel/stage.h"

#include <sys/socket.h>

#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ringwall::sim {

using Story = std::vector<std::string>;

// What a kernel may lack, and then the play is not given.
enum class Needs : std::uint8_t { nothing, tls, tls_with_one_key, tls_with_second_key };

struct Play {
  const char* name;
  Story (*act)(Stage&);
  Story expected;
  Needs needs = Needs::nothing;
};

[[nodiscard]] std::vector<Play> receive_plays();
[[nodiscard]] std::vector<Play> send_plays();
[[nodiscard]] std::vector<Play> connection_plays();
[[nodiscard]] std::vector<Play> tls_receive_plays();
[[nodiscard]] std::vector<Play> tls_send_plays();

// One operation, and what became of it. Completions with bytes that go on are told as one, whatever their sizes.
class Probe {
 public:
  Probe(Stage& stage, const char* name) : stage_(stage), name_(name) {}

  [[nodiscard]] io_uring_sqe& prepare() { return stage_.ring().prepare(operation_); }

  Probe& receive_multishot(int socket) {
    io_uring_sqe& entry = prepare();
    io_uring_prep_recv_multishot(&entry, socket, nullptr, 0, 0);
    entry.flags |= IOSQE_BUFFER_SELECT;
    entry.buf_group = stage_.buffers().group();
    return *this;
  }
  Probe& receive(int socket, std::span<char> into, int flags = 0) {
    io_uring_prep_recv(&prepare(), socket, into.data(), into.size(), flags);
    return *this;
  }
  Probe& send(int socket, std::string_view bytes, int flags = 0) {
    io_uring_prep_send(&prepare(), socket, bytes.data(), bytes.size(), flags);
    return *this;
  }
  Probe& shut_down(int socket, int how) {
    io_uring_prep_shutdown(&prepare(), socket, how);
    return *this;
  }
  Probe& close(int descriptor) {
    io_uring_prep_close(&prepare(), descriptor);
    return *this;
  }
  Probe& connect(int socket, const ring::SocketAddress& address) {
    io_uring_prep_connect(&prepare(), socket, address.get(), address.bytes);
    return *this;
  }
  Probe& accept(int listener, bool multishot) {
    io_uring_sqe& entry = prepare();
    io_uring_prep_accept(&entry, listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (multishot) entry.ioprio |= IORING_ACCEPT_MULTISHOT;
    return *this;
  }
  Probe& poll_for_end(int socket) {
    io_uring_prep_poll_multishot(&prepare(), socket, 0);
    return *this;
  }
  Probe& cancel(Probe& target) {
    stage_.ring().cancel(target.operation_, operation_);
    return *this;
  }

  void keep_buffers() { keeps_buffers_ = true; }
  void let_go() { kept_.clear(); }
  [[nodiscard]] int result() const { return result_; }
  [[nodiscard]] bool is_waiting() const { return operation_.in_flight(); }
  void tell_in(Story& story) const { story.insert(story.end(), told_.begin(), told_.end()); }

 private:
  void on_completion(const ring::Completion& completion) {
    result_ = completion.result;
    const bool goes_on = !completion.is_last();
    if (completion.has_buffer()) {
      kept_.push_back(stage_.buffers().take(completion.buffer_id(), static_cast<std::size_t>(completion.result)));
      if (!keeps_buffers_) kept_.clear();
    }
    if (goes_on && completion.has_buffer()) {
      bytes_going_on_ += completion.result;
      if (bytes_going_on_ != completion.result) told_.pop_back();
      told_.push_back(std::string(name_) + ' ' + std::to_string(bytes_going_on_) + " in buffers, more");
      return;
    }
    std::string told = std::string(name_) + ' ' + of_result(completion.result);
    if (completion.has_buffer()) told += " in a buffer";
    if (goes_on) told += ", more";
    told_.push_back(told);
  }

  [[nodiscard]] std::string of_result(int result) const {
    if (result < 0) return strerrorname_np(-result);
    if (std::string_view(name_) == "accept") return "a descriptor";
    return std::to_string(result);
  }

  Stage& stage_;
  const char* name_;
  ring::OperationOf<Probe, &Probe::on_completion> operation_{*this};
  std::vector<ring::Slice> kept_;
  std::vector<std::string> told_;
  int bytes_going_on_ = 0;
  int result_ = 0;
  bool keeps_buffers_ = false;
};

// A socket of the program's, and its peer.
struct Pair {
  explicit Pair(Stage& stage) : peer(stage.enter_peer()) {
    Probe accepted(stage, "accept");
    accepted.accept(stage.listener(), false);
    stage.settle();
    socket = accepted.result();
  }
  std::unique_ptr<StagePeer> peer;
  int socket = -1;
};

inline void close_now(Stage& stage, int descriptor) { stage.ring().backend().close_socket(descriptor); }

template <typename... Probes>
Story told(const Probes&... probes) {
  Story story;
  (probes.tell_in(story), ...);
  return story;
}

}  // namespace ringwall::sim

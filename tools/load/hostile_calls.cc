// Hostile clients that are let in, and then call: too much, what is not allowed, or what they do not read.
#include <sys/ioctl.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "load/hostile_client.h"
#include "load/mix.h"

namespace ringwall::load {

namespace {

constexpr std::uint64_t second_ns = 1'000'000'000;

// What is large at any node, and what no public endpoint lets a client do.
constexpr std::string_view large_method = "state_getMetadata";
constexpr std::array<std::string_view, 6> denied_methods = {"author_rotateKeys",        "author_insertKey",
                                                            "system_addReservedPeer",   "system_addLogFilter",
                                                            "offchain_localStorageSet", "state_traceBlock"};
constexpr unsigned calls_unread_a_second = 16;
constexpr unsigned calls_of_a_flood = 64;  // each turn, of each client
constexpr unsigned calls_of_a_batch = 5'000;
constexpr std::string_view method_of_a_batch = "system_health";

std::string batch() {
  std::string text;
  for (unsigned call = 1; call <= calls_of_a_batch; ++call) {
    text += call == 1 ? R"([{"jsonrpc":"2.0","id":)" : R"(,{"jsonrpc":"2.0","id":)";
    text.append(std::to_string(call)).append(R"(,"method":")").append(method_of_a_batch).append(R"(","params":[]})");
  }
  return text + "]";
}

class SlowReader final : public HostileClient {
 public:
  using HostileClient::HostileClient;

 private:
  void on_open() override {
    connection().pause_receiving();
    unread_bytes_ = 0;
    on_timer();
  }
  void on_timer() override {
    note_unread();
    for (unsigned call = 0; call < calls_unread_a_second && !is_congested(); ++call) {
      say_call(large_method, "[]");
      if (lane_.plan.target.post) break;
    }
    wake_at(lane_.now_ns() + second_ns);
  }
  void on_end() override { set_stopped(false); }

  // What it has asked for waits in the kernel; once that is as much as a second ago, the endpoint has stopped sending.
  void note_unread() {
    int bytes = 0;
    if (ioctl(connection().socket(), FIONREAD, &bytes) != 0) return;
    set_stopped(bytes > 0 && std::exchange(unread_bytes_, bytes) == bytes);
  }
  void set_stopped(bool is_stopped) {
    if (std::exchange(is_stopped_, is_stopped) == is_stopped) return;
    group_.stopped += is_stopped ? 1 : -1;
  }

  int unread_bytes_ = 0;
  bool is_stopped_ = false;  // counted in Group::stopped
};

class Flood final : public HostileClient {
 public:
  using HostileClient::HostileClient;

 private:
  void on_open() override { ask_to_act(); }
  void on_room() override { ask_to_act(); }
  // Over POST it is one request at a time: the next one as soon as there is an answer.
  void on_answer() override {
    if (lane_.plan.target.post) ask_to_act();
  }
  void act() override {
    const bool is_post = lane_.plan.target.post;
    for (unsigned call = 0; call < calls_of_a_flood && is_open() && !is_congested(); ++call) {
      lane_.text.clear();
      lane_.plan.mix->write(lane_.plan.mix->pick(lane_.random.uniform()), ++last_id_, lane_.text);
      ++tally_.flow.calls_sent;
      say(lane_.text);
      if (is_post) return;
    }
    if (is_open() && !is_congested()) ask_to_act();
  }
};

class DeniedCaller final : public HostileClient {
 public:
  using HostileClient::HostileClient;

 private:
  void on_open() override {
    const unsigned depth = lane_.plan.target.post ? 1 : lane_.plan.depth;
    for (unsigned call = 0; call < depth; ++call) on_answer();
  }
  void on_answer() override {
    if (!is_open()) return;
    wake_at(lane_.now_ns() + lane_.plan.timeout_ns);
    say_call(denied_methods[last_id_ % denied_methods.size()], "[]");
  }
  void on_timer() override { lose(Trouble::answer_timeout, {}); }
};

class BatchCaller final : public HostileClient {
 public:
  using HostileClient::HostileClient;

 private:
  void on_open() override { on_answer(); }
  void on_answer() override {
    if (!is_open()) return;
    tally_.flow.calls_sent += calls_of_a_batch;
    wake_at(lane_.now_ns() + lane_.plan.timeout_ns);
    static const std::string text = batch();
    say(text);
  }
  void on_timer() override { lose(Trouble::answer_timeout, {}); }
};

}  // namespace

std::unique_ptr<HostileClient> make_slow_reader(Lane& lane, std::uint64_t number) {
  return std::make_unique<SlowReader>(lane, number);
}
std::unique_ptr<HostileClient> make_flood(Lane& lane, std::uint64_t number) {
  return std::make_unique<Flood>(lane, number);
}
std::unique_ptr<HostileClient> make_denied_caller(Lane& lane, std::uint64_t number) {
  return std::make_unique<DeniedCaller>(lane, number);
}
std::unique_ptr<HostileClient> make_batch_caller(Lane& lane, std::uint64_t number) {
  return std::make_unique<BatchCaller>(lane, number);
}

}  // namespace ringwall::load

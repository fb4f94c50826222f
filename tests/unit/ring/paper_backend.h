// paper_backend.h: a backend on paper: it writes down what it is asked, and completes what the test says.
#pragma once

#include <ringwall/ring/backend.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

namespace ringwall::ring {

class PaperBackend final : public Backend {
 public:
  struct Enter {
    unsigned submit;
    unsigned wait_for;
    std::uint64_t timeout_ns;
  };

  // `start` is where the queues' counters begin.
  explicit PaperBackend(unsigned entries, unsigned start = 0)
      : array_(entries), submissions_(entries), completions_(entries * std::size_t{4}) {
    queues_.sq.khead = &submission_head;
    queues_.sq.ktail = &submission_tail;
    queues_.sq.array = array_.data();
    queues_.sq.sqes = submissions_.data();
    queues_.sq.ring_entries = entries;
    queues_.sq.ring_mask = entries - 1;
    queues_.cq.khead = &completion_head;
    queues_.cq.ktail = &completion_tail;
    queues_.cq.cqes = completions_.data();
    queues_.cq.ring_entries = entries * 4;
    queues_.cq.ring_mask = entries * 4 - 1;
    submission_head = submission_tail = completion_head = completion_tail = start;
  }

  // The next answer of `answers`, or all that is asked.
  int enter(unsigned submit, unsigned wait_for, std::uint64_t timeout_ns) override {
    enters.push_back({submit, wait_for, timeout_ns});
    int answer = static_cast<int>(submit);
    if (!answers.empty()) {
      answer = std::min(answers.front(), answer);
      answers.pop_front();
    }
    for (int count = 0; count < answer; ++count) {
      const io_uring_sqe& entry = submissions_[array_[submission_head++ & (array_.size() - 1)]];
      taken.push_back(entry);
      if (completes_all) complete(entry.user_data, 0);
    }
    return answer;
  }

  void complete(std::uint64_t user_data, int result, std::uint32_t flags = 0) {
    io_uring_cqe& entry = completions_[completion_tail++ & (completions_.size() - 1)];
    entry.user_data = user_data;
    entry.res = result;
    entry.flags = flags;
  }

  int register_buffer_ring(io_uring_buf_reg& registration) override {
    registered = registration;
    return register_answer;
  }
  std::uint64_t now_ns() override { return time_ns; }
  std::int64_t unix_now_s() override { return 0; }
  int bind_source(int, const SocketAddress&) override { return 0; }
  void wait_for_bytes(int, int) override {}
  void limit_receive_buffer(int, int) override {}
  void limit_unacknowledged(int, std::uint64_t) override {}
  void fill_random(std::span<std::byte> bytes) override { std::ranges::fill(bytes, std::byte{0}); }
  int open_tcp_socket(int) override { return -EMFILE; }
  SocketAddress peer_address(int) override { return {}; }
  std::size_t unacknowledged_bytes(int) override { return 0; }
  int attach_tls(int) override { return -ENOENT; }
  int take_error(int) override { return 0; }
  int set_tls_key(int, TlsDirection, std::span<const std::byte>) override { return -ENOPROTOOPT; }
  int shut_down_sending(int) override { return 0; }
  void reset_on_close(int) override {}
  void close_socket(int) override {}

  std::vector<Enter> enters;
  std::deque<int> answers;
  std::vector<io_uring_sqe> taken;
  bool completes_all = true;
  io_uring_buf_reg registered{};
  int register_answer = 0;
  std::uint64_t time_ns = 1'000'000'000;
  unsigned submission_head, submission_tail, completion_head, completion_tail;

 private:
  std::vector<unsigned> array_;
  std::vector<io_uring_sqe> submissions_;
  std::vector<io_uring_cqe> completions_;
};

}  // namespace ringwall::ring

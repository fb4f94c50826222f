// Hostile clients that are never let in, or do not stay.
#include <ringwall/tls/client_handshake.h>
#include <ringwall/tls/output.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "load/hostile_client.h"

namespace ringwall::load {

namespace {

constexpr std::uint64_t ms_ns = 1'000'000;
constexpr std::uint64_t byte_interval_ns = 500 * ms_ns;

// A byte of the request's head now and then, and never the last one.
class SlowHead final : public HostileClient {
 public:
  using HostileClient::HostileClient;

 private:
  void on_way() override {
    head_.clear();
    if (lane_.plan.target.post) {
      lane_.texts.write_post({}, head_);
    } else {
      write_upgrade(head_);
    }
    sent_ = 0;
    expect_upgrade();
    on_way_timer();
  }
  void on_way_timer() override {
    if (head_.empty()) return HostileClient::on_way_timer();
    if (sent_ + 1 < head_.size()) connection().send_copy(std::string_view(head_).substr(sent_++, 1));
    wake_at(lane_.now_ns() + byte_interval_ns);
  }
  void on_end() override { head_.clear(); }

  std::string head_;  // empty: not begun
  std::size_t sent_ = 0;
};

// Opened, upgraded, and reset at once; again at once.
class Churner final : public HostileClient {
 public:
  using HostileClient::HostileClient;

  [[nodiscard]] std::uint64_t again_at_ns() const override {
    return was_open_ ? lane_.now_ns() : HostileClient::again_at_ns();
  }
  [[nodiscard]] bool may_start() override {
    was_open_ = false;
    return true;
  }

 private:
  void on_open() override {
    was_open_ = true;
    abort();
  }

  bool was_open_ = false;
};

// A ClientHello, whose answer costs the endpoint a signature and a key, and then nothing; again at once.
class HelloSayer final : public HostileClient {
 public:
  using HostileClient::HostileClient;

  class Sender final : public tls::Output {
   public:
    explicit Sender(connection::Connection& connection) : connection_(connection) {}
    void append(std::span<const std::byte> ciphertext) override { connection_.send_copy(ciphertext); }

   private:
    connection::Connection& connection_;
  };

  [[nodiscard]] std::uint64_t again_at_ns() const override {
    return was_answered_ ? lane_.now_ns() : HostileClient::again_at_ns();
  }
  [[nodiscard]] bool may_start() override {
    was_answered_ = false;
    return true;
  }

 private:
  [[nodiscard]] std::unique_ptr<connection::TlsTransport> make_transport() override { return nullptr; }
  void on_way() override {
    expect_upgrade();
    tls::ClientHandshake handshake(*lane_.tls, server_name());
    std::span<const std::byte> nothing;
    Sender sender(connection());
    (void)handshake.advance(nothing, sender);
  }
  void read_on_way(std::span<const std::byte>& in) override {
    in = {};
    was_answered_ = true;
    ++tally_.flow.answers;
    abort();
  }

  bool was_answered_ = false;
};

}  // namespace

std::unique_ptr<HostileClient> make_slow_head(Lane& lane, std::uint64_t number) {
  return std::make_unique<SlowHead>(lane, number);
}
std::unique_ptr<HostileClient> make_churner(Lane& lane, std::uint64_t number) {
  return std::make_unique<Churner>(lane, number);
}
std::unique_ptr<HostileClient> make_hello_sayer(Lane& lane, std::uint64_t number) {
  return std::make_unique<HelloSayer>(lane, number);
}

}  // namespace ringwall::load

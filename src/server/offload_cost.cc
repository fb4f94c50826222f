// What a record costs in the kernel and in user space, measured on loopback connections of this thread with itself.
//
// Only the server's side is measured, and what the network does below it: a record is sealed and sent, or comes in and
// is opened. What the peer does beside that is left out. The least of several runs counts, since all that disturbs
// adds.
#include <ringwall/server/offload.h>

#include <ringwall/ring/tls_control.h>
#include <ringwall/tls/kernel_key.h>
#include <ringwall/tls/key_schedules.h>
#include <ringwall/tls/records.h>

#include <netinet/tcp.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "loopback.h"

namespace ringwall::server {
namespace {

constexpr std::chrono::milliseconds time_of_all{90};
constexpr std::chrono::milliseconds time_beyond_max{100};  // of a cipher that has not had runs_min yet
constexpr unsigned runs_min = 3;
constexpr tls::Version version = tls::Version::tls13;
constexpr std::size_t receive_buffer_bytes = 16 * 1024;  // of a shard, by default
constexpr double mib = 1 << 20;
constexpr timeval patience{.tv_sec = 0, .tv_usec = 100'000};

// So many records of a size: few enough that no socket's buffer is ever full.
struct Burst {
  std::size_t records;
  std::size_t bytes;
};
constexpr Burst large{.records = 2, .bytes = tls::record_plaintext_bytes_max};
constexpr Burst small{.records = 16, .bytes = 256};

constexpr std::size_t wire_bytes(const Burst& burst) {
  constexpr std::size_t overhead = tls::record_header_bytes + 1 + 16;  // content type and tag
  return burst.records * (burst.bytes + overhead);
}

// Nothing here waits for anything, so what the least of many runs took is CPU time; the clock of that has a resolution
// of 10 ms on some kernels.
std::uint64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

tls::Keys keys_of(tls::Cipher cipher) {
  tls::Keys keys{.version = version, .cipher = cipher};
  keys.send.key.fill(std::byte{1});
  keys.receive.key.fill(std::byte{2});
  return keys;
}

tls::Keys mirrored(tls::Keys keys) {
  std::swap(keys.send, keys.receive);
  return keys;
}

class NoOutput final : public tls::Output {
 public:
  void append(std::span<const std::byte>) override {}
};

// A connection whose server's end is in the kernel or in user space.
class Subject {
 public:
  Subject(tls::Cipher cipher, bool in_kernel)
      : in_kernel_(in_kernel),
        keys_(keys_of(cipher)),
        records_(keys_, schedules_),
        peer_(mirrored(keys_), peer_schedules_) {
    ready_ = pair_.connected() && is_set_up(pair_.server.get()) && is_set_up(pair_.client()) &&
             (!in_kernel || enter_kernel());
  }
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;

  [[nodiscard]] bool ready() const { return ready_; }

  // In ns, or nothing: it did not work.
  std::optional<std::uint64_t> send(const Burst& burst) {
    const std::uint64_t start_ns = now_ns();
    for (std::size_t count = 0; count < burst.records; ++count) {
      const std::span<const std::byte> plain = std::span(plain_).first(burst.bytes);
      if (in_kernel_) {
        if (!put(pair_.server.get(), plain)) return std::nullopt;
      } else {
        const std::size_t bytes = records_.seal(std::span(&plain, 1), wire_);
        if (!put(pair_.server.get(), std::span(wire_).first(bytes))) return std::nullopt;
      }
    }
    const std::uint64_t end_ns = now_ns();
    return take(pair_.client(), wire_bytes(burst)) ? std::optional(end_ns - start_ns) : std::nullopt;
  }

  // Large records come together, small messages one at a time.
  std::optional<std::uint64_t> receive(const Burst& burst) {
    std::vector<std::byte> wire(wire_bytes(burst));
    for (std::size_t count = 0, at = 0; count < burst.records; ++count) {
      const std::span<const std::byte> plain = std::span(plain_).first(burst.bytes);
      at += peer_.seal(std::span(&plain, 1), std::span(wire).subspan(at));
    }
    const std::size_t parts = burst.bytes == large.bytes ? 1 : burst.records;
    const std::uint64_t start_ns = now_ns();
    for (std::size_t part = 0; part < parts; ++part) {
      const std::size_t bytes = wire.size() / parts;
      if (!put(pair_.client(), std::span(wire).subspan(part * bytes, bytes))) return std::nullopt;
      if (!open(burst.records * burst.bytes / parts)) return std::nullopt;
    }
    return now_ns() - start_ns;
  }

 private:
  static bool is_set_up(int socket) {
    const int on = 1;  // Nagle's algorithm waits for acknowledgements, which wait too
    return ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
           ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0;
  }

  bool enter_kernel() {
    const int socket = pair_.server.get();
    return ring::attach_kernel_tls(socket) == 0 &&
           ring::set_kernel_tls_key(socket, ring::TlsDirection::send,
                                    tls::KernelKey(keys_.send, version, keys_.cipher).crypto_info()) == 0 &&
           ring::set_kernel_tls_key(socket, ring::TlsDirection::receive,
                                    tls::KernelKey(keys_.receive, version, keys_.cipher).crypto_info()) == 0;
  }

  static bool put(int socket, std::span<const std::byte> bytes) {
    return ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) ==
           static_cast<ssize_t>(bytes.size());
  }

  bool take(int socket, std::size_t bytes) {
    while (bytes > 0) {
      const ssize_t count = ::recv(socket, wire_.data(), std::min(bytes, wire_.size()), 0);
      if (count <= 0) return false;
      bytes -= static_cast<std::size_t>(count);
    }
    return true;
  }

  // Until so many bytes of plaintext have come out.
  bool open(std::size_t bytes) {
    if (in_kernel_) {
      while (bytes > 0) {
        const ssize_t count = ::recv(pair_.server.get(), wire_.data(), receive_buffer_bytes, 0);
        if (count <= 0 || static_cast<std::size_t>(count) > bytes) return false;
        bytes -= static_cast<std::size_t>(count);
      }
      return true;
    }
    NoOutput output;
    while (bytes > 0) {
      const ssize_t count = ::recv(pair_.server.get(), wire_.data(), receive_buffer_bytes, 0);
      if (count <= 0) return false;
      std::span<std::byte> wire = std::span(wire_).first(static_cast<std::size_t>(count));
      tls::Records::Opened opened;
      tls::Records::Progress progress{};
      while ((progress = records_.open(wire, opened, output)) == tls::Records::Progress::plaintext) {
        if (opened.plaintext.size() > bytes) return false;
        bytes -= opened.plaintext.size();
      }
      if (progress != tls::Records::Progress::need_input) return false;
    }
    return true;
  }

  const bool in_kernel_;
  bool ready_ = false;
  LoopbackPair pair_;
  const tls::Keys keys_;
  tls::KeySchedules schedules_, peer_schedules_;
  tls::Records records_, peer_;
  std::vector<std::byte> plain_ = std::vector<std::byte>(large.bytes, std::byte{'x'});
  std::vector<std::byte> wire_ = std::vector<std::byte>(large.bytes + tls::record_overhead_bytes_max);
};

// The least that was seen of each kind of burst.
class Least {
 public:
  // False: the subject has failed.
  bool run(Subject& subject) {
    return note(large_ns_, subject.send(large), subject.receive(large)) &&
           note(small_ns_, subject.send(small), subject.receive(small));
  }

  [[nodiscard]] RecordCost cost() const {
    constexpr double directions = 2;
    return {.us_per_mib = large_ns_ / 1e3 / directions * mib / (large.records * large.bytes),
            .us_per_message = small_ns_ / 1e3 / directions / small.records};
  }

 private:
  static bool note(double& least, std::optional<std::uint64_t> sent, std::optional<std::uint64_t> received) {
    if (!sent || !received) return false;
    least = std::min(least, static_cast<double>(*sent + *received));
    return true;
  }

  double large_ns_ = std::numeric_limits<double>::max();
  double small_ns_ = std::numeric_limits<double>::max();
};

// Both kinds in turn, so that what disturbs one disturbs the other.
Measurement measure(tls::Cipher cipher, std::chrono::milliseconds time) {
  const auto start = std::chrono::steady_clock::now();
  const auto failed = [](std::string why) { return Measurement{.costs = {}, .failure = std::move(why)}; };
  Subject kernel(cipher, true), user(cipher, false);
  if (!user.ready()) return failed("a connection over 127.0.0.1 could not be made");
  if (!kernel.ready()) return failed("the kernel did not take a connection's keys");
  Least kernel_least, user_least;
  for (unsigned runs = 0;; ++runs) {
    const auto spent = std::chrono::steady_clock::now() - start;
    if (spent >= time && runs >= runs_min) break;
    if (spent >= time + time_beyond_max) {
      return failed(fmt::format("{} of {} runs in {} ms, the machine is too busy", runs, runs_min,
                                (time + time_beyond_max).count()));
    }
    if (!kernel_least.run(kernel)) return failed("what the kernel sent or received did not come through");
    if (!user_least.run(user)) return failed("what user space sent or received did not come through");
  }
  return {.costs = CostPair{.kernel = kernel_least.cost(), .user = user_least.cost()}, .failure = {}};
}

}  // namespace

Costs measure_costs(const KernelTls& kernel) {
  Costs costs;
  (void)tls::aes_gcm_implementation();  // the library starts itself, which is not to be measured
  for (std::size_t index = 0; index < tls::ciphers.size(); ++index) {
    if (!kernel.works(version, tls::ciphers[index])) continue;
    costs[index] = measure(tls::ciphers[index], time_of_all / static_cast<int>(tls::ciphers.size()));
  }
  return costs;
}

}  // namespace ringwall::server

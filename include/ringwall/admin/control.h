// control.h: what the admin interface asks of the process that it stands in, and what it may do to it.
//
// The server fills all of it in before it makes the Interface, which calls it on its own thread. None of it blocks.
#pragma once

#include <ringwall/config/config.h>
#include <ringwall/error.h>
#include <ringwall/shard/mailbox.h>
#include <ringwall/upstream/health.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ringwall::admin {

// Whether new clients are to be sent here. `why` is a line: why not, or of what upstream no client should be sent.
struct Readiness {
  bool ready = true;
  std::string why{};
  bool is_known = true;  // false: there is no such upstream, and `why` names those that there are
};

struct CertificateExpiry {
  std::string file;
  std::int64_t not_after_s;  // Unix time
};

struct NodeRow {
  std::string name;      // as people are told: the upstream's, with its address where there are several
  std::string upstream;  // which it is one of
  std::uint32_t places_taken;
  std::uint32_t places_max;  // 0: no bound
  bool is_healthy;
  std::string_view state;                     // upstream::state_word()
  std::uint64_t ejected_left_ns;              // 0: it is not ejected
  std::optional<std::uint64_t> block_age_ns;  // since its best block was last seen to change
  upstream::NodeHealth health;
};

// How many there were.
struct Reloads {
  std::uint64_t ok = 0;
  std::uint64_t refused = 0;
};

struct Control {
  std::string version{};
  std::size_t shards = 0;
  std::string bans_file{};  // that keeps them for the next process; empty: none
  std::function<void(std::size_t shard, shard::Letter letter)> post{};
  std::function<bool(std::size_t shard)> has_ended{};  // stopped, and all its clients are gone
  std::function<std::vector<NodeRow>()> nodes{};       // of each upstream, one upstream after the other
  std::function<std::vector<CertificateExpiry>()> certificates{};
  std::function<Readiness(std::string_view upstream)> readiness{};  // of that one; empty: of any

  std::function<Reloads()> reloads{};

  config::Changes changes = config::Changes::loopback;
  // Reads the configuration again, on another thread, which calls `done`. Its text says what was done, or why nothing
  // was.
  std::function<void(std::function<void(const Result<std::string>&)> done)> reload{};
  std::function<Result<void>(std::string_view level)> set_log_level{};
  std::function<void()> drain{};            // begins it, if it has not begun
  std::function<Result<void>()> upgrade{};  // begins it, or says why not
  std::function<bool()> is_handing_over{};  // a new process is starting
};

}  // namespace ringwall::admin

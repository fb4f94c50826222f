// result.h: what a run saw. Each thread fills a Tally of its own; they are added up once a second and at the end.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "load/histogram.h"

namespace ringwall::load {

// What may go wrong, by where it is seen. Every call that is counted ends as a good answer or as exactly one of these,
// and so does a connection, from the first connect on: before the measured time too. answer_unasked comes in addition.
enum class Trouble : std::uint8_t {
  connect_refused,    // nobody listens, or no way leads there
  connect_timeout,    // no answer to the SYN, the ClientHello or the upgrade within `timeout`
  connect_closed,     // the endpoint ended it before it was of use: at accept, in the handshake, for an upgrade
  connect_no_source,  // no port or address left on this side
  tls,                // the handshake failed; texts has why
  upgrade,            // another status than 101; texts has the status
  http_status,        // a POST was answered by another status than 200
  connection_reset,   // while it was in use
  connection_closed,  // the endpoint closed it while it was in use (FIN, close_notify, Close: texts has code and
                      // reason)
  protocol,           // what came is not WebSocket, HTTP or JSON-RPC
  answer_timeout,     // none within `timeout`
  answer_lost,        // the connection ended before it came
  answer_unasked,     // an id that is not in flight
  answer_length,      // not as long as the mix says this call's answers are
  rpc_error,          // a JSON-RPC error; texts has code and message
  subscription_ended,
  notification_lost,  // a subscriber heard nothing in the measured time, and others heard the same items
  send_late,          // open loop: sent more than `timeout` after its time, since its connections were full
};
inline constexpr std::size_t trouble_count = static_cast<std::size_t>(Trouble::send_late) + 1;
[[nodiscard]] std::string_view name(Trouble trouble);     // "connect_refused"
[[nodiscard]] std::string_view meaning(Trouble trouble);  // for the reader: "nobody listens, or no way leads there"

struct Troubles {
  std::array<std::uint64_t, trouble_count> counts{};
  // The first few different texts of all, with how often. They are others': kept as excerpt() has them.
  std::map<std::string, std::uint64_t> texts;

  static constexpr std::size_t texts_max = 32;
  void note(Trouble trouble, std::string_view text = {});
  void add(const Troubles& other);
  [[nodiscard]] std::uint64_t total() const;
};

struct Flow {
  std::uint64_t calls_sent = 0;
  std::uint64_t answers = 0;          // good ones
  std::uint64_t answers_in_time = 0;  // of them those that came before the end: what a rate and CPU are of
  std::uint64_t notifications = 0;
  std::uint64_t calls_unanswered = 0;    // in flight when the run was interrupted: neither sent nor errors
  std::uint64_t connections_tried = 0;   // connects
  std::uint64_t connections_opened = 0;  // past their upgrade
  std::uint64_t connections_cut = 0;     // there, and ended or turned away by the endpoint
  std::uint64_t handshakes = 0;          // of TLS
  std::uint64_t handshakes_resumed = 0;
  std::uint64_t bytes_sent = 0;      // of payload: JSON
  std::uint64_t bytes_received = 0;  // of payload: JSON
  void add(const Flow& other);
};

// Of one kind of call in the mix.
struct CallTally {
  std::string name;
  std::uint64_t sent = 0;
  std::uint64_t answers_in_time = 0;
  std::uint64_t errors = 0;
  Histogram latency;
};

struct Tally {
  Flow flow;
  Troubles troubles;
  Histogram latency;             // of calls: from when they were to be sent; handshake mode: to the 101, or the answer
  Histogram connect;             // from connect to 101, with TLS
  Histogram spread;              // subscribe: from the first client that had a notification to each other one
  std::vector<CallTally> calls;  // one for each entry of the mix, in its order
  void add(const Tally& other);
};

// A second of the run, for plots. Errors, and how long answers took, of what was in flight at the end are the last
// second's; answers are those in time.
struct Second {
  double at_s = 0;            // its end, since the measured time began
  double target_rate = 0;     // open loop: in its middle
  std::uint64_t answers = 0;  // handshake mode: handshakes; subscribe: notifications
  std::uint64_t errors = 0;
  std::uint64_t p50_ns = 0, p99_ns = 0, max_ns = 0;
  std::uint64_t connections = 0;          // open at its end
  std::optional<double> target_cpu_us{};  // of the process watched; nothing: there is none, or no longer
};

// Of the process given by --pid, over the measured time.
struct TargetUse {
  bool known = false;
  double cpu_user_us = 0, cpu_system_us = 0;
  std::uint64_t rss_before_bytes = 0;  // before the first connection
  std::uint64_t rss_after_bytes = 0;   // with all connections open, at the end of the measured time
};

// Of notifications that several subscribers had.
struct FanOut {
  std::uint64_t copies = 0;         // that came
  std::uint64_t copies_wanted = 0;  // one for each subscriber that was there
  std::uint64_t silent = 0;         // subscribers that heard nothing at all
};

struct Outcome {
  Tally tally;
  std::vector<Second> seconds;
  TargetUse target;
  double measured_s = 0;
  std::uint64_t connections_open = 0;  // at the end of the measured time
  // Open when the run went on without the others: none was opened within the timeout. Nothing: all had been tried.
  std::optional<std::uint64_t> connections_begun_with{};
  FanOut fan_out{};  // subscribe
  std::uint64_t hostile_connections_open = 0;
  std::uint64_t hostile_connections_held = 0;  // the same, and those on their way: accepted, and not ended
  std::uint64_t hostile_senders_stopped = 0;   // slow readers of those, to whom the endpoint sends nothing more
  Tally hostile;                               // what the hostile clients met, apart
  double own_cpu_us = 0;                       // of this program, over the measured time
  double threads_cpu_us = 0;                   // the same, of the threads of its well-behaved clients alone
  double machine_busy_share = 0;               // of all cores of this machine, over the measured time: 0 to 1
  bool interrupted = false;
};

}  // namespace ringwall::load

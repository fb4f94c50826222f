// mix.h: which calls are made, and how often each: built in, a file of recorded JSON-RPC lines, or one from the command
// line. Immutable, shared by all threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <ringwall/error.h>

namespace ringwall::load {

// One row of the tables. Of a file with many different lines it stands for all lines of its method, and write() takes
// now these params and now those, by their weights.
struct MixCall {
  std::string name;    // for the tables: the method, with "#2" where it occurs twice
  std::string method;  // as it stands in JSON, without its quotes
  std::string params;  // a JSON array or object; those of the first line
  double weight = 1;
  std::optional<std::uint64_t> answer_bytes;  // every good answer is exactly so long (the whole message)
  bool subscribes = false;  // its result is a subscription's id: notifications follow, and it is ended once one came
  std::string unsubscribe_method;
};

class Mix {
 public:
  // "public" (what a public Polkadot endpoint sees: the next three together), "apps" (Polkadot.js Apps starting),
  // "wallet", "indexer".
  [[nodiscard]] static Result<std::shared_ptr<const Mix>> built_in(std::string_view name);
  // One JSON-RPC request a line; "id" and "jsonrpc" are ours, "weight" and "answer_bytes" may stand beside them. Equal
  // lines add their weights. Skipped are empty lines, those that begin with '#', and calls that end a subscription,
  // since their ids are of another connection. Errors name file and line.
  [[nodiscard]] static Result<std::shared_ptr<const Mix>> from_file(const std::string& path);
  // The same of a text; errors call it `name`.
  [[nodiscard]] static Result<std::shared_ptr<const Mix>> from_lines(std::string_view text, const std::string& name);
  // `name` and, for a method that is known to subscribe, the last two fields are filled in.
  [[nodiscard]] static Result<std::shared_ptr<const Mix>> of_one(MixCall call);

  static constexpr std::size_t file_bytes_max = 64 << 20;
  static constexpr std::size_t lines_max = 100'000;  // different ones
  static constexpr std::size_t line_calls_max = 64;  // more different lines than this are told by method
  static constexpr std::size_t calls_max = 256;      // rows of the tables, each with a histogram a thread

  [[nodiscard]] std::span<const MixCall> calls() const { return calls_; }
  [[nodiscard]] bool subscribes() const;  // at least one of them does
  // What remains for POST, which has no subscriptions; null where nothing does.
  [[nodiscard]] std::shared_ptr<const Mix> without_subscriptions() const;
  // An index into calls(), by weight. `uniform` is from [0, 1).
  [[nodiscard]] std::size_t pick(double uniform) const;
  // {"jsonrpc":"2.0","id":…,"method":…,"params":…}, appended. A pure function of its arguments.
  void write(std::size_t index, std::uint64_t id, std::string& out) const;

 private:
  // What follows the id in the text of a call's lines, and their weights, each added to those before it.
  struct Lines {
    std::vector<std::string> after_id;
    std::vector<double> cumulative;
  };

  explicit Mix(std::vector<MixCall> lines);
  void add_line(const MixCall& line, std::size_t index);

  std::vector<MixCall> calls_;
  std::vector<double> cumulative_;
  std::vector<Lines> lines_;  // of each call
};

// Fills in `subscribes` and `unsubscribe_method`, by what is known of the method and, failing that, by its name.
void complete_subscription(MixCall& call);
// Whether it ends a subscription.
[[nodiscard]] bool ends_subscription(std::string_view method);

}  // namespace ringwall::load

// update.h: what a configuration that was read again changes in the one that runs.
//
// The schema says of each field whether it can change while Ringwall runs (is_live()). Listeners are the same by their
// address, upstreams by their name, and what is left over by its place in the list; those that are new or gone need a
// restart. A listener whose kind changes, or that names an upstream that does not run yet, stays as it is as a whole.
// Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include <ringwall/config/config.h>

namespace ringwall::config {

struct Difference {
  std::string field;  // "listener[0].origins", with the index that it has in what was read
  std::string was;    // as TOML, or a word for what is not there
  std::string is;

  friend bool operator==(const Difference&, const Difference&) = default;
};

// "limits.address_units_per_s: 1000 -> 500", each side cut to a readable length.
[[nodiscard]] std::string to_text(const Difference& difference);

struct Update {
  // To go on with: as complete as what load() returns, with the listeners and upstreams of the running one in their
  // order.
  Config config;
  std::vector<Difference> taken;  // what differs in it from the running one
  std::vector<Difference> left;   // what only a restart brings
};

[[nodiscard]] Update update(const Config& running, const Config& read);

}  // namespace ringwall::config

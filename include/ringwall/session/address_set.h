// address_set.h: many ranges of addresses, in which one address is found in logarithmic time.
//
// A value; any thread. Ranges may overlap: they are merged.
#pragma once

#include <ringwall/config/config.h>
#include <ringwall/session/client_address.h>

#include <span>
#include <vector>

namespace ringwall::session {

class AddressSet {
 public:
  AddressSet() = default;
  explicit AddressSet(std::span<const config::Cidr> ranges);

  [[nodiscard]] bool contains(const AddressBytes& address) const;
  [[nodiscard]] bool empty() const { return intervals_.empty(); }

 private:
  // Both ends are in it.
  struct Interval {
    AddressBytes first;
    AddressBytes last;
  };

  std::vector<Interval> intervals_;  // in order; none begins before the one before it has ended
};

}  // namespace ringwall::session

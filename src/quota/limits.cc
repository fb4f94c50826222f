#include <ringwall/quota/limits.h>

#include <bit>
#include <string>
#include <string_view>

namespace ringwall::quota {
namespace {

Result<void> check_rate(const std::string& field, const Rate& rate) {
  const auto found = [&](std::string_view member, std::uint64_t value) {
    return field + "." + std::string(member) + " is " + std::to_string(value);
  };
  if (rate.per_second > units_per_second_max) {
    return fail(found("per_second", rate.per_second) + "; right is at most " + std::to_string(units_per_second_max));
  }
  if (rate.burst > burst_units_max) {
    return fail(found("burst", rate.burst) + "; right is at most " + std::to_string(burst_units_max));
  }
  if (rate.per_second > 0 && rate.burst == 0) {
    return fail(found("burst", 0) + ", with a rate that lets nothing through; right is at least 1");
  }
  if (rate.per_second == 0 && rate.burst > 0) {
    return fail(found("per_second", 0) + ", which is no limit, so that the burst is none; right is at least 1");
  }
  return {};
}

Result<void> check_prefixes(std::string_view family, unsigned address_bits, unsigned network_bits, unsigned bits_max) {
  const std::string name = std::string(family) + "_address_bits";
  if (address_bits < 1 || address_bits > bits_max) {
    return fail(name + " is " + std::to_string(address_bits) + "; right is 1 to " + std::to_string(bits_max));
  }
  if (network_bits >= address_bits) {
    return fail(std::string(family) + "_network_bits is " + std::to_string(network_bits) +
                "; right is 0 (none), or less than " + name + ", which is " + std::to_string(address_bits));
  }
  return {};
}

Result<void> check_entries(std::string_view name, std::uint32_t entries) {
  if (entries >= table_entries_min && entries <= table_entries_max && std::has_single_bit(entries)) return {};
  return fail(std::string(name) + " is " + std::to_string(entries) + "; right is a power of two from " +
              std::to_string(table_entries_min) + " to " + std::to_string(table_entries_max));
}

}  // namespace

bool AddressRange::contains(const AddressBytes& other) const {
  const std::size_t whole = prefix_bits / 8;
  for (std::size_t i = 0; i < whole; ++i) {
    if (address[i] != other[i]) return false;
  }
  const int rest = prefix_bits % 8;
  return rest == 0 || ((address[whole] ^ other[whole]) >> (8 - rest)) == 0;
}

Limits lifted(const Limits& limits) {
  return {.address = {}, .network = {}, .connection = {}, .machine_units = {}, .exempt = limits.exempt};
}

Result<void> check(const Limits& limits) {
  const std::pair<std::string_view, const Rate&> rates[] = {
      {"address.units", limits.address.units},       {"address.new_connections", limits.address.new_connections},
      {"network.units", limits.network.units},       {"network.new_connections", limits.network.new_connections},
      {"connection.units", limits.connection.units}, {"machine_units", limits.machine_units},
  };
  for (const auto& [field, rate] : rates) {
    if (auto checked = check_rate(std::string(field), rate); !checked) return checked;
  }
  if (limits.exempt.size() > exempt_ranges_max) {
    return fail("exempt has " + std::to_string(limits.exempt.size()) + " ranges; right is at most " +
                std::to_string(exempt_ranges_max));
  }
  for (const AddressRange& range : limits.exempt) {
    if (range.prefix_bits > 128) {
      return fail("exempt has a prefix of " + std::to_string(range.prefix_bits) + " bits; right is at most 128");
    }
  }
  return {};
}

Result<void> check(const Layout& layout) {
  auto checked = check_prefixes("ipv4", layout.ipv4_address_bits, layout.ipv4_network_bits, 32);
  if (checked) checked = check_prefixes("ipv6", layout.ipv6_address_bits, layout.ipv6_network_bits, 128);
  if (checked) checked = check_entries("address_entries", layout.address_entries);
  if (checked) checked = check_entries("network_entries", layout.network_entries);
  return checked;
}

}  // namespace ringwall::quota

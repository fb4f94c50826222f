// offer_report.h: what an operator has to know of the methods that a node offers, as lines for the log.
//
// Pure; any thread. What may pass is told from the same MethodTable that decides on calls. The names in a line are
// bounded, and those of the node's are as offer.h lets them through.
#pragma once

#include <ringwall/log/level.h>
#include <ringwall/rpc/method_table.h>
#include <ringwall/upstream/log_line.h>
#include <ringwall/upstream/offer.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ringwall::upstream {

// Of the names in each list of a line, in bytes, about.
inline constexpr std::size_t listed_bytes_max = 300;

// Under the policy `safe`: the methods that are unknown here and therefore denied, with what would allow them. It never
// has a prefix that a known unsafe method starts with, nor a method that `deny` names, which `allow` would not help.
// `settings` are those that `table` was made of.
[[nodiscard]] std::optional<LogLine> report_unlisted(std::string_view upstream, const Offer& offer,
                                                     const rpc::MethodTable& table,
                                                     const rpc::MethodSettings& settings);

// The methods that are unknown here and may be called by everyone since the policy is `open` or `all`.
[[nodiscard]] std::optional<LogLine> report_unknown(std::string_view upstream, const Offer& offer,
                                                    const rpc::MethodTable& table, const rpc::MethodSettings& settings);

// The known unsafe methods that are withheld here.
[[nodiscard]] std::optional<LogLine> report_withheld(std::string_view upstream, const Offer& offer,
                                                     const rpc::MethodTable& table);

// A warning of the known unsafe methods that everyone may call, by `all` or by `allow`.
[[nodiscard]] std::optional<LogLine> report_exposed(std::string_view upstream, const Offer& offer,
                                                    const rpc::MethodTable& table);

// All of these that there are.
[[nodiscard]] std::vector<LogLine> report_offer(std::string_view upstream, const Offer& offer,
                                                const rpc::MethodTable& table, const rpc::MethodSettings& settings);

}  // namespace ringwall::upstream

// Any bytes as a node's answer to rpc_methods: however they are cut the same comes of them, and a name that comes of
// them is one that a line of the log or of the configuration may hold.
//
// Input: where the bytes are cut, then the answer.
#include <ringwall/check.h>
#include <ringwall/rpc/method_table.h>
#include <ringwall/upstream/offer.h>
#include <ringwall/upstream/offer_report.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace ringwall;

constexpr std::string_view name_characters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz-.";

// The names, or one word that is no name for what went wrong.
upstream::Offer read(std::string_view first, std::string_view second) {
  upstream::ReplyReader reader;
  bool is_whole = false;
  for (const std::string_view part : {first, second}) {
    if (is_whole || part.empty()) continue;
    const auto taken = reader.take(part);
    if (!taken) return {"refused!"};
    is_whole = *taken;
  }
  if (!is_whole && !reader.end()) return {"cut!"};
  const auto offer = upstream::offer_of(reader);
  if (!offer) return {"no offer!"};
  RINGWALL_CHECK(!offer->empty());
  RINGWALL_CHECK(offer->size() <= upstream::offered_methods_max);
  RINGWALL_CHECK(std::ranges::is_sorted(*offer));
  RINGWALL_CHECK(std::ranges::adjacent_find(*offer) == offer->end());
  for (const std::string& name : *offer) {
    RINGWALL_CHECK(!name.empty());
    RINGWALL_CHECK(name.size() <= upstream::offered_name_bytes_max);
    RINGWALL_CHECK(name.find_first_not_of(name_characters) == std::string::npos);
  }
  return *offer;
}

void report(const upstream::Offer& offer, rpc::Policy policy) {
  const rpc::MethodSettings settings{.policy = policy};
  const auto table = rpc::MethodTable::make(settings);
  RINGWALL_CHECK(table.has_value());
  for (const upstream::LogLine& line : upstream::report_offer("node", offer, *table, settings)) {
    RINGWALL_CHECK(line.text.size() < 2 * upstream::listed_bytes_max + 400);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t cut = std::min<std::size_t>(data[0], text.size());
  const upstream::Offer whole = read(text, "");
  RINGWALL_CHECK(read(std::string_view(text).substr(0, cut), std::string_view(text).substr(cut)) == whole);
  for (const auto policy : {rpc::Policy::safe, rpc::Policy::open, rpc::Policy::all}) report(whole, policy);
  return 0;
}

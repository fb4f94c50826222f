#include <ringwall/admin/sessions.h>
#include <ringwall/session/session.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <functional>
#include <span>
#include <utility>
#include <variant>

namespace ringwall::admin {

namespace {

using Json = nlohmann::ordered_json;

template <typename Row>
struct Piece {
  std::size_t next = 0;  // where to go on; 0: it was the last
  std::size_t matched = 0;
  std::vector<Row> rows{};
};

// Calls `take` with what each shard says, until all have been looked through.
template <typename Row>
void for_each_piece(Shards& shards, const std::function<void(const session::Session&, Piece<Row>&)>& look,
                    const std::function<void(const Piece<Row>&)>& take) {
  std::vector<std::size_t> next(shards.count(), SIZE_MAX);
  while (std::ranges::any_of(next, [](std::size_t at) { return at > 0; })) {
    const auto pieces = shards.ask<Piece<Row>>([look, next](shard::Shard& shard, std::size_t index, Piece<Row>& piece) {
      const auto& sessions = shard.service().sessions;
      std::size_t at = std::min(next[index], sessions.size());
      piece.next = at > sessions_a_letter ? at - sessions_a_letter : 0;
      while (at > piece.next) look(*sessions[--at], piece);
    });
    for (std::size_t index = 0; index < pieces.size(); ++index) {
      // One that does not answer is left out.
      if (pieces[index] && next[index] > 0) take(*pieces[index]);
      next[index] = pieces[index] ? pieces[index]->next : 0;
    }
  }
}

std::string dump(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

struct JsonOf {
  Json operator()(std::string_view value) const { return value; }
  Json operator()(std::uint64_t value) const { return value; }
  Json operator()(bool value) const { return value; }
  Json operator()(log::Span value) const { return static_cast<double>(value.ns / 1'000'000) / 1e3; }
};

Json row_of(const session::Account& account) {
  Json row = Json::object();
  const session::AccountFields fields(account);
  for (const log::Field& field : fields.span()) row[std::string(field.name)] = std::visit(JsonOf{}, field.value);
  return row;
}

}  // namespace

std::string sessions_json(Shards& shards, const std::optional<config::Cidr>& range, std::size_t rows) {
  std::size_t matched = 0;
  Json list = Json::array();
  using Rows = Piece<session::Account>;
  for_each_piece<session::Account>(
      shards,
      [range, rows](const session::Session& session, Rows& piece) {
        if (range && !session.is_of(*range)) return;
        ++piece.matched;
        if (piece.rows.size() < rows) piece.rows.push_back(session.account());
      },
      [&](const Rows& piece) {
        matched += piece.matched;
        for (const session::Account& account : piece.rows) {
          if (list.size() < rows) list.push_back(row_of(account));
        }
      });
  const std::size_t shown = list.size();
  return dump({{"matched", matched}, {"shown", shown}, {"sessions", std::move(list)}});
}

std::optional<By> parse_by(std::string_view text) {
  if (text.empty() || text == "units") return By::units;
  if (text == "calls") return By::calls;
  return text == "bytes" ? std::optional(By::bytes) : std::nullopt;
}

TopTalkers::Talkers TopTalkers::gather(Shards& shards) {
  Talkers talkers;
  using Rows = Piece<session::Figures>;
  for_each_piece<session::Figures>(
      shards, [](const session::Session& session, Rows& piece) { piece.rows.push_back(session.figures()); },
      [&](const Rows& piece) {
        for (const session::Figures& figures : piece.rows) {
          Talker& talker = talkers[figures.client];
          ++talker.sessions;
          talker.calls += figures.tally.calls;
          talker.units += figures.tally.units;
          talker.received_bytes += figures.received_bytes;
          talker.sent_bytes += figures.sent_bytes;
        }
      });
  return talkers;
}

// Sessions that have ended take what they had with them.
TopTalkers::Talker TopTalkers::since(const Talker& before, const Talker& now) {
  const auto less = [](std::uint64_t then, std::uint64_t later) { return later > then ? later - then : 0; };
  return {.sessions = now.sessions,
          .calls = less(before.calls, now.calls),
          .units = less(before.units, now.units),
          .received_bytes = less(before.received_bytes, now.received_bytes),
          .sent_bytes = less(before.sent_bytes, now.sent_bytes)};
}

std::string TopTalkers::json(Shards& shards, By by, std::size_t rows) {
  const auto now = std::chrono::steady_clock::now();
  Talkers talkers = gather(shards);
  const double interval_s = std::chrono::duration<double>(now - told_).count();
  const bool compares = told_ != decltype(told_){} && now - told_ <= memory && interval_s > 0;
  std::vector<std::pair<session::AddressBytes, Talker>> top;
  for (const auto& [client, talker] : talkers) {
    const auto before = before_.find(client);
    top.emplace_back(client, compares && before != before_.end() ? since(before->second, talker) : talker);
  }
  const auto weight = [by](const Talker& talker) {
    switch (by) {
      case By::units:
        return talker.units;
      case By::calls:
        return talker.calls;
      case By::bytes:
        break;
    }
    return talker.received_bytes + talker.sent_bytes;
  };
  const auto shown = static_cast<std::ptrdiff_t>(std::min(rows, top.size()));
  std::ranges::partial_sort(top, top.begin() + shown, std::greater(),
                            [&](const auto& row) { return std::pair(weight(row.second), row.second.sessions); });
  Json list = Json::array();
  for (const auto& [client, talker] : std::span(top).first(static_cast<std::size_t>(shown))) {
    list.push_back({{"client", session::to_text(client)},
                    {"sessions", talker.sessions},
                    {"calls", talker.calls},
                    {"units", talker.units},
                    {"received_bytes", talker.received_bytes},
                    {"sent_bytes", talker.sent_bytes}});
  }
  const std::size_t clients = talkers.size();
  before_ = std::move(talkers);
  told_ = now;
  return dump(
      {{"over_s", compares ? Json(interval_s) : Json(nullptr)}, {"clients", clients}, {"top", std::move(list)}});
}

}  // namespace ringwall::admin

#include <ringwall/log/escape.h>
#include <ringwall/server/top_screen.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <ctime>
#include <iterator>
#include <string>
#include <utility>

namespace ringwall::server {

namespace {

using Json = nlohmann::json;
using Lines = std::vector<ScreenLine>;

constexpr std::size_t text_bytes_max = 256;

std::string in_bytes(double bytes) {
  constexpr std::array<std::string_view, 5> units{"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < units.size(); ++unit) bytes /= 1024;
  return fmt::format("{:.{}f} {}", bytes, unit == 0 ? 0 : 1, units[unit]);
}

std::string in_time(double seconds) {
  const auto s = static_cast<std::uint64_t>(std::max(seconds, 0.0));
  if (s >= 86'400) return fmt::format("{} d {} h", s / 86'400, s % 86'400 / 3'600);
  if (s >= 3'600) return fmt::format("{} h {} min", s / 3'600, s % 3'600 / 60);
  return s >= 60 ? fmt::format("{} min {} s", s / 60, s % 60) : fmt::format("{} s", s);
}

std::string in_ms(double seconds) {
  return seconds < 1 ? fmt::format("{:.1f} ms", seconds * 1e3) : fmt::format("{:.1f} s", seconds);
}

// In one line, and steering no terminal.
std::string harmless(std::string_view foreign) {
  std::string text;
  log::append_sentence(text, foreign, text_bytes_max);
  return text;
}

std::string text_of(const Json& value) { return harmless(value.get_ref<const std::string&>()); }

// Nothing of what is not known.
std::string number_of(const Json& value) {
  return value.is_null() ? std::string() : fmt::format("{}", value.get<std::uint64_t>());
}

// How two answers differ, a second.
class Change {
 public:
  Change(const Json& before, const Json& now, double seconds) : before_(before), now_(now), seconds_(seconds) {}

  [[nodiscard]] double of(const std::string& path) const {
    const Json::json_pointer at(path);
    const double then = before_.at(at).get<double>();
    const double later = now_.at(at).get<double>();
    return later > then ? (later - then) / seconds_ : 0;
  }

 private:
  const Json& before_;
  const Json& now_;
  double seconds_;
};

Lines totals(const TopInput& input, const Json& now, const Change& change) {
  Lines lines;
  if (!input.trouble.empty()) {
    lines.push_back(
        {.text = fmt::format("NO ANSWER for {}: what follows is old", in_time(input.silent_s)), .mood = Mood::alarm});
    lines.push_back({.text = harmless(input.trouble), .mood = Mood::alarm});
  }
  const bool is_ready = now.at("ready").get<bool>();
  const double age_s = static_cast<double>(std::time(nullptr)) - now.at("start_s").get<double>();
  lines.push_back({.text = fmt::format("ringwall {}  {}  up {}  {} resident", text_of(now.at("version")),
                                       is_ready ? "ready" : "NOT READY", in_time(age_s),
                                       in_bytes(now.at("resident_bytes").get<double>())),
                   .mood = Mood::heading});
  if (!is_ready) lines.push_back({.text = "not ready: " + text_of(now.at("why")), .mood = Mood::alarm});
  const auto calls = [&](const char* verdict) { return change.of(std::string("/calls/") + verdict); };
  const double denied = calls("unsafe") + calls("not_offered") + calls("invalid") + calls("batch_refused");
  lines.push_back({.text = fmt::format("connections  {} open, {} of them WebSockets, {:.1f} new/s",
                                       now.at("connections").get<std::uint64_t>(),
                                       now.at("relays").get<std::uint64_t>(), change.of("/opened"))});
  lines.push_back(
      {.text = fmt::format("calls        {:.1f}/s to nodes, {:.1f}/s denied, {:.1f}/s over a limit, {:.1f} units/s",
                           calls("forwarded"), denied, calls("over_limit"), change.of("/units"))});
  lines.push_back({.text = fmt::format("clients      {}/s in, {}/s out", in_bytes(change.of("/client_received_bytes")),
                                       in_bytes(change.of("/client_sent_bytes")))});
  for (ScreenLine& line : lines) line.text = cut(line.text, input.columns);
  return lines;
}

bool is_healthy(const Json& node) { return node.at("healthy").get<bool>(); }

void add_node(Table& table, const Json& node, const std::string& name) {
  std::string state = text_of(node.at("state"));
  const Json& ejected = node.at("ejected_left_s");
  Mood mood = is_healthy(node) ? Mood::plain : Mood::warning;
  if (state == "failing" || state == "ejected") mood = Mood::alarm;
  if (!ejected.is_null()) state += " for " + in_time(ejected.get<double>());
  if (node.at("at_limit").get<bool>()) state += ", full";
  const auto most = node.at("places_max").get<std::uint64_t>();
  const auto taken = node.at("places").get<std::uint64_t>();
  const Json& latency = node.at("latency_s");
  table.add(
      {name, state, most == 0 ? fmt::format("{}", taken) : fmt::format("{} of {}", taken, most),
       number_of(node.at("best_block")), number_of(node.at("finalized_block")), number_of(node.at("lag_blocks")),
       number_of(node.at("peers")), latency.is_null() ? "" : in_ms(latency.get<double>()), text_of(node.at("why"))},
      mood);
}

void add_upstream(Table& table, const Json& upstream) {
  const Json& nodes = upstream.at("nodes");
  const std::string name = text_of(upstream.at("name"));
  if (nodes.size() == 1) return add_node(table, nodes.front(), name);
  const auto healthy = static_cast<std::size_t>(std::ranges::count_if(nodes, is_healthy));
  const Mood mood = healthy == 0 ? Mood::alarm : healthy < nodes.size() ? Mood::warning : Mood::plain;
  table.add({name, fmt::format("{} of {} healthy", healthy, nodes.size()),
             fmt::format("{}", upstream.at("places").get<std::uint64_t>()), "", "", "", "", "", ""},
            mood);
  std::vector<const Json*> order;
  for (const Json& node : nodes) order.push_back(&node);
  std::ranges::stable_sort(order, {}, [](const Json* node) { return is_healthy(*node); });
  for (const Json* node : order) {
    std::string own = text_of(node->at("name"));
    if (const std::string start = name + " at "; own.starts_with(start)) own.erase(0, start.size());
    add_node(table, *node, "  " + own);
  }
}

Lines nodes(const Json& now, std::size_t columns) {
  Table table({{.title = "node", .is_left = true, .width_min = 18},
               {.title = "state", .is_left = true},
               {.title = "connections"},
               {.title = "best", .rank = 3},
               {.title = "finalized", .rank = 4},
               {.title = "lag", .rank = 1},
               {.title = "peers", .rank = 5},
               {.title = "latency", .rank = 2},
               {.title = "why", .is_left = true, .width_min = 12}});
  std::vector<const Json*> order;
  for (const Json& upstream : now.at("upstreams")) order.push_back(&upstream);
  std::ranges::stable_sort(order, {},
                           [](const Json* row) { return std::ranges::all_of(row->at("nodes"), is_healthy); });
  for (const Json* upstream : order) add_upstream(table, *upstream);
  return table.lines(columns);
}

Lines shards(const Json& before, const Json& now, double seconds, std::size_t columns) {
  Table table({{.title = "shard"},
               {.title = "connections"},
               {.title = "handlers"},
               {.title = "kernel", .rank = 1},
               {.title = "idle", .rank = 2},
               {.title = "backlog", .rank = 3},
               {.title = "assembly", .rank = 4}});
  for (std::size_t index = 0; index < now.at("shards").size(); ++index) {
    const Json& row = now.at("shards").at(index);
    const Change change(before.at("shards").at(index), row, seconds);
    const double handlers = change.of("/handlers_s");
    const double kernel = change.of("/kernel_s");
    const double idle = change.of("/idle_s");
    const double all = std::max(handlers + kernel + idle, 1e-9);
    const auto share = [&](double part) { return fmt::format("{:.0f} %", 100 * part / all); };
    const auto of = [&](const char* used, const char* bound) {
      return in_bytes(row.at(used).get<double>()) + " of " + in_bytes(row.at(bound).get<double>());
    };
    const bool is_up = row.at("up").get<bool>();
    table.add({fmt::format("{}", index), fmt::format("{}", row.at("connections").get<std::uint64_t>()),
               is_up ? share(handlers) : "silent", share(kernel), share(idle), of("backlog_bytes", "backlog_bytes_max"),
               of("assembly_bytes", "assembly_bytes_max")},
              is_up ? Mood::plain : Mood::alarm);
  }
  return table.lines(columns);
}

Lines clients(const Json& talkers, std::size_t columns) {
  const Json& over = talkers.at("over_s");
  const bool is_rate = over.is_number();
  const double seconds = is_rate ? std::max(over.get<double>(), 1e-3) : 1;
  const std::string a_second = is_rate ? "/s" : "";
  const auto count = talkers.at("clients").get<std::uint64_t>();
  Table table({{.title = fmt::format("{} client{}", count, count == 1 ? "" : "s"), .is_left = true, .width_min = 16},
               {.title = "sessions", .rank = 1},
               {.title = "calls" + a_second},
               {.title = "units" + a_second},
               {.title = "in" + a_second, .rank = 3},
               {.title = "out" + a_second, .rank = 2}});
  for (const Json& row : talkers.at("top")) {
    const auto number = [&](const char* name) { return row.at(name).get<double>() / seconds; };
    table.add({text_of(row.at("client")), fmt::format("{}", row.at("sessions").get<std::uint64_t>()),
               fmt::format("{:.1f}", number("calls")), fmt::format("{:.1f}", number("units")),
               in_bytes(number("received_bytes")), in_bytes(number("sent_bytes"))});
  }
  return table.lines(columns);
}

// Under the totals, with an empty line before each.
void add_sections(Lines& lines, std::array<Lines, 3> sections, std::size_t rows, std::size_t columns) {
  constexpr std::size_t lines_min = 3;  // a heading, a row, and how many are missing
  constexpr std::array<std::size_t, 3> first_to_go{1, 2, 0};
  std::array<std::size_t, 3> shown{};
  for (std::size_t index = 0; index < shown.size(); ++index) shown[index] = sections[index].size();
  const auto needed = [&] {
    std::size_t sum = lines.size();
    for (const std::size_t count : shown) sum += count == 0 ? 0 : count + 1;
    return sum;
  };
  while (needed() > rows) {
    const auto longest = std::ranges::max_element(shown);
    if (*longest > lines_min) {
      --*longest;
      continue;
    }
    const auto goes = std::ranges::find_if(first_to_go, [&](std::size_t index) { return shown[index] > 0; });
    if (goes == first_to_go.end()) break;
    shown[*goes] = 0;
  }
  for (std::size_t index = 0; index < shown.size(); ++index) {
    Lines& section = sections[index];
    if (shown[index] == 0) continue;
    if (shown[index] < section.size()) {
      const std::size_t missing = section.size() - shown[index] + 1;
      section.resize(shown[index]);
      section.back() = {.text = cut(fmt::format("… {} more", missing), columns)};
    }
    lines.push_back({});
    std::ranges::move(section, std::back_inserter(lines));
  }
}

}  // namespace

// The library throws where an answer is not what it should be: it is then another Ringwall's.
Result<std::vector<ScreenLine>> top_screen(const TopInput& input) try {
  const Json now = Json::parse(input.now);
  Json before = Json::parse(input.before);
  // Another process has no past that could be compared.
  if (before.at("start_s") != now.at("start_s") || before.at("shards").size() != now.at("shards").size()) before = now;
  Lines lines = totals(input, now, Change(before, now, input.seconds));
  add_sections(lines,
               {nodes(now, input.columns), shards(before, now, input.seconds, input.columns),
                clients(Json::parse(input.talkers), input.columns)},
               input.rows, input.columns);
  lines.resize(std::min(lines.size(), input.rows));
  return lines;
} catch (const Json::exception& wrong) {
  return fail(std::string("the answer is not one of this version of Ringwall: ") + wrong.what());
}

}  // namespace ringwall::server

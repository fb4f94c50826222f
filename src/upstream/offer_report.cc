#include <ringwall/check.h>
#include <ringwall/rpc/methods.h>
#include <ringwall/upstream/offer_report.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <utility>

namespace ringwall::upstream {

namespace {

const rpc::Method* find_known(std::string_view name) {
  const auto known = rpc::known_methods();
  const auto at = std::ranges::lower_bound(known, name, {}, &rpc::Method::name);
  return at != known.end() && at->name == name ? &*at : nullptr;
}

bool is_known_unsafe(std::string_view name) {
  const rpc::Method* known = find_known(name);
  return known != nullptr && (known->safety == rpc::Safety::unsafe_ || known->condition == rpc::Condition::unbounded);
}

// `allow` lifts a condition too, so a method that is safe under one counts as unsafe.
bool covers_unsafe(std::string_view prefix) {
  return std::ranges::any_of(rpc::known_methods(), [&](const rpc::Method& known) {
    return known.safety != rpc::Safety::safe && known.name.starts_with(prefix);
  });
}

// Up to and with the first underscore; empty when there is none.
std::string_view prefix_of(std::string_view name) {
  const std::size_t at = name.find('_');
  return at == std::string_view::npos ? "" : name.substr(0, at + 1);
}

// A pattern of the configuration, and how many methods of the offer it stands for.
struct Item {
  std::string pattern;
  std::size_t methods = 1;
};

// What stands for most methods first, so that a list that is cut loses little.
std::vector<Item> group(const std::vector<std::string_view>& names) {
  std::map<std::string_view, std::vector<std::string_view>> families;
  for (const std::string_view name : names) families[prefix_of(name)].push_back(name);
  std::vector<Item> items;
  for (const auto& [prefix, members] : families) {
    if (prefix.empty() || members.size() == 1 || covers_unsafe(prefix)) {
      for (const std::string_view name : members) items.push_back({.pattern = std::string(name)});
    } else {
      items.push_back({.pattern = std::string(prefix) + "*", .methods = members.size()});
    }
  }
  std::ranges::stable_sort(items, std::greater{}, &Item::methods);
  return items;
}

struct List {
  std::string text;
  std::size_t methods = 0;  // that it stands for
};

template <typename Write>
List list(const std::vector<Item>& items, Write write) {
  List made;
  for (const Item& item : items) {
    const std::string text = write(item);
    if (!made.text.empty() && made.text.size() + text.size() + 2 > listed_bytes_max) break;
    made.text.append(made.text.empty() ? "" : ", ").append(text);
    made.methods += item.methods;
  }
  return made;
}

// "eth_*: 41, net_version, and 3 more"
std::string list_counts(const std::vector<Item>& items, std::size_t methods) {
  List made = list(items, [](const Item& item) {
    return item.methods == 1 ? item.pattern : item.pattern + ": " + std::to_string(item.methods);
  });
  if (made.methods < methods) made.text += ", and " + std::to_string(methods - made.methods) + " more";
  return made.text;
}

std::string count(std::size_t number, std::string_view of) {
  return std::to_string(number).append(" ").append(of).append(number == 1 ? "method" : "methods");
}

std::vector<std::string_view> select(const Offer& offer, const std::function<bool(std::string_view)>& is_meant) {
  std::vector<std::string_view> names;
  std::ranges::copy_if(offer, std::back_inserter(names), is_meant);
  return names;
}

std::string start(std::string_view upstream) { return std::string("upstream ").append(upstream).append(": "); }

}  // namespace

std::optional<LogLine> report_unlisted(std::string_view upstream, const Offer& offer, const rpc::MethodTable& table,
                                       const rpc::MethodSettings& settings) {
  // Where all else may pass, what does not is denied by name.
  const auto all_but_denied = rpc::MethodTable::make({.policy = rpc::Policy::all, .deny = settings.deny});
  RINGWALL_CHECK(all_but_denied.has_value());
  const auto names = select(offer, [&](std::string_view name) {
    return table.verdict_on(name) == rpc::Verdict::not_offered &&
           all_but_denied->verdict_on(name) == rpc::Verdict::allowed && !is_known_unsafe(name);
  });
  if (names.empty()) return std::nullopt;
  const std::vector<Item> items = group(names);
  const List patterns = list(items, [](const Item& item) { return '"' + item.pattern + '"'; });
  std::string text = start(upstream) + "it offers " + count(names.size(), "") +
                     (names.size() == 1 ? " that is" : " that are") + " not allowed here (" +
                     list_counts(items, names.size()) + "); to allow ";
  text += patterns.methods < names.size() ? std::to_string(patterns.methods) + " of them" : "them";
  // A line of its own would take the place of what is allowed now.
  if (settings.allow.empty()) {
    text += ": methods.allow = [" + patterns.text + "]";
  } else {
    text += ", add to methods.allow: " + patterns.text;
  }
  return LogLine{.text = std::move(text)};
}

std::optional<LogLine> report_unknown(std::string_view upstream, const Offer& offer, const rpc::MethodTable& table,
                                      const rpc::MethodSettings& settings) {
  if (settings.policy == rpc::Policy::safe) return std::nullopt;
  const auto names = select(offer, [&](std::string_view name) {
    return find_known(name) == nullptr && table.verdict_on(name) == rpc::Verdict::allowed;
  });
  if (names.empty()) return std::nullopt;
  return LogLine{.text = start(upstream) + "it offers " + count(names.size(), "unknown ") +
                         (names.size() == 1 ? ", which is" : ", which are") + " open to everyone (" +
                         list_counts(group(names), names.size()) + ")"};
}

std::optional<LogLine> report_withheld(std::string_view upstream, const Offer& offer, const rpc::MethodTable& table) {
  const auto names = select(offer, [&](std::string_view name) {
    return is_known_unsafe(name) && table.verdict_on(name) != rpc::Verdict::allowed;
  });
  if (names.empty()) return std::nullopt;
  return LogLine{.text = start(upstream) + "it offers " + count(names.size(), "unsafe ") +
                         (names.size() == 1 ? "; it is" : "; they are") + " withheld here"};
}

std::optional<LogLine> report_exposed(std::string_view upstream, const Offer& offer, const rpc::MethodTable& table) {
  const auto names = select(offer, [&](std::string_view name) {
    return is_known_unsafe(name) && table.verdict_on(name) == rpc::Verdict::allowed;
  });
  if (names.empty()) return std::nullopt;
  std::vector<Item> items;
  for (const std::string_view name : names) items.push_back({.pattern = std::string(name)});
  return LogLine{.level = LogLine::Level::warning,
                 .text = start(upstream) + "it offers " + count(names.size(), "unsafe ") +
                         (names.size() == 1 ? ", and it is" : ", and they are") + " open to everyone (" +
                         list_counts(items, names.size()) + ")"};
}

std::vector<LogLine> report_offer(std::string_view upstream, const Offer& offer, const rpc::MethodTable& table,
                                  const rpc::MethodSettings& settings) {
  std::vector<LogLine> lines;
  for (std::optional<LogLine> line :
       {report_unlisted(upstream, offer, table, settings), report_unknown(upstream, offer, table, settings),
        report_withheld(upstream, offer, table), report_exposed(upstream, offer, table)}) {
    if (!line) continue;
    line->upstream = upstream;
    lines.push_back(std::move(*line));
  }
  return lines;
}

}  // namespace ringwall::upstream

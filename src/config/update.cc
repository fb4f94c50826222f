#include <ringwall/config/update.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

#include <fmt/core.h>

#include <ringwall/config/schema.h>
#include <ringwall/config/value.h>

namespace ringwall::config {
namespace {

constexpr std::size_t side_bytes_max = 200;

std::string cut(const std::string& text) {
  return text.size() <= side_bytes_max ? text : text.substr(0, side_bytes_max) + "...";
}

std::string count_text(std::size_t count) { return count == 0 ? "none" : fmt::format("{} of them", count); }

// For each element of `running` the index of the same one in `read`.
template <typename Element, typename IsSame>
std::vector<std::optional<std::size_t>> pairs_of(const std::vector<Element>& running, const std::vector<Element>& read,
                                                 IsSame is_same) {
  std::vector<std::optional<std::size_t>> pairs(running.size());
  std::vector<bool> taken(read.size(), false);
  for (std::size_t i = 0; i < running.size(); ++i) {
    const auto found = std::ranges::find_if(read, [&](const Element& other) { return is_same(running[i], other); });
    if (found == read.end()) continue;
    pairs[i] = static_cast<std::size_t>(found - read.begin());
    taken[*pairs[i]] = true;
  }
  for (std::size_t i = 0; i < std::min(running.size(), read.size()); ++i) {
    if (!pairs[i] && !taken[i]) pairs[i] = i;
  }
  return pairs;
}

template <typename Element>
std::vector<std::size_t> unpaired(const std::vector<std::optional<std::size_t>>& pairs,
                                  const std::vector<Element>& read) {
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < read.size(); ++i) {
    if (std::ranges::find(pairs, std::optional(i)) == pairs.end()) indices.push_back(i);
  }
  return indices;
}

class Comparison {
 public:
  Comparison(const Config& running, const Config& read) : running_(running), read_(read) {
    update_.config = read;
    Config& next = update_.config;
    take(SectionId::server, "server", running.server, next.server, true);
    take(SectionId::log, "log", running.log, next.log, true);
    take(SectionId::admin, "admin", running.admin, next.admin, true);
    take(SectionId::tls, "tls", running.tls, next.tls, true);
    take(SectionId::methods, "methods", running.methods, next.methods, true);
    take(SectionId::limits, "limits", running.limits, next.limits, true);
    take(SectionId::timeouts, "timeouts", running.timeouts, next.timeouts, true);
    take_upstreams();
    take_listeners();
  }

  Update result() { return std::move(update_); }

 private:
  // `next` is what was read, and afterwards what is to be.
  template <typename Section>
  void take(SectionId id, const std::string& path, const Section& running, Section& next, bool may_change) {
    for (const Field<Section>& field : fields<Section>()) {
      std::visit(
          [&](auto member) {
            if (running.*member == next.*member) return;
            const bool taken = may_change && is_live(id, field.row);
            (taken ? update_.taken : update_.left)
                .push_back({fmt::format("{}.{}", path, field.row.name), value_text(running.*member, field.row),
                            value_text(next.*member, field.row)});
            if (!taken) next.*member = running.*member;
          },
          field.member);
    }
  }

  template <typename Section>
  void take_list(SectionId id, const std::string& path, const std::vector<Section>& running, std::vector<Section>& next,
                 bool may_change) {
    if (running.size() != next.size()) {
      (may_change ? update_.taken : update_.left)
          .push_back({path, count_text(running.size()), count_text(next.size())});
      if (!may_change) next = running;
      return;
    }
    for (std::size_t i = 0; i < next.size(); ++i) {
      take(id, fmt::format("{}[{}]", path, i), running[i], next[i], may_change);
    }
  }

  void take_upstreams() {
    const auto is_same = [](const Upstream& a, const Upstream& b) { return a.name == b.name; };
    const auto pairs = pairs_of(running_.upstreams, read_.upstreams, is_same);
    std::vector<Upstream> next = running_.upstreams;
    for (std::size_t i = 0; i < next.size(); ++i) {
      if (!pairs[i]) {
        update_.left.push_back({fmt::format("upstream \"{}\"", next[i].name), "there", "gone"});
        continue;
      }
      next[i] = read_.upstreams[*pairs[i]];
      take(SectionId::upstream, fmt::format("upstream[{}]", *pairs[i]), running_.upstreams[i], next[i], true);
    }
    for (const std::size_t i : unpaired(pairs, read_.upstreams)) {
      update_.left.push_back({fmt::format("upstream[{}]", i), "none", fmt::format("\"{}\"", read_.upstreams[i].name)});
    }
    update_.config.upstreams = std::move(next);
  }

  void take_listeners() {
    const auto is_same = [](const Listener& a, const Listener& b) { return a.address == b.address; };
    const auto pairs = pairs_of(running_.listeners, read_.listeners, is_same);
    std::vector<Listener> next = running_.listeners;
    for (std::size_t i = 0; i < next.size(); ++i) {
      if (!pairs[i]) {
        update_.left.push_back({fmt::format("listener {}", to_text(next[i].address)), "there", "gone"});
        continue;
      }
      next[i] = read_.listeners[*pairs[i]];
      take_listener(fmt::format("listener[{}]", *pairs[i]), running_.listeners[i], next[i]);
    }
    for (const std::size_t i : unpaired(pairs, read_.listeners)) {
      update_.left.push_back(
          {fmt::format("listener[{}]", i), "none", fmt::format("\"{}\"", to_text(read_.listeners[i].address))});
    }
    update_.config.listeners = std::move(next);
  }

  void take_listener(const std::string& path, const Listener& running, Listener& next) {
    const bool may_change = next.kind == running.kind && leads_to_running(next);
    take(SectionId::listener, path, running, next, may_change);
    take_list(SectionId::certificate, path + ".certificate", running.certificates, next.certificates, may_change);
    take_list(SectionId::route, path + ".route", running.routes, next.routes, may_change);
    next.upstream_index = *index_of(next.upstream);
    for (Route& route : next.routes) route.upstream_index = *index_of(route.upstream);
  }

  bool leads_to_running(const Listener& listener) const {
    return index_of(listener.upstream) && std::ranges::all_of(listener.routes, [&](const Route& route) {
             return index_of(route.upstream).has_value();
           });
  }

  // Of an upstream in what is to be.
  std::optional<std::size_t> index_of(const std::string& name) const {
    const std::vector<Upstream>& upstreams = update_.config.upstreams;
    const auto found = std::ranges::find(upstreams, name, &Upstream::name);
    if (found == upstreams.end()) return std::nullopt;
    return static_cast<std::size_t>(found - upstreams.begin());
  }

  const Config& running_;
  const Config& read_;
  Update update_;
};

}  // namespace

std::string to_text(const Difference& difference) {
  return fmt::format("{}: {} -> {}", difference.field, cut(difference.was), cut(difference.is));
}

Update update(const Config& running, const Config& read) { return Comparison(running, read).result(); }

}  // namespace ringwall::config

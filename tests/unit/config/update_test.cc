#include <ringwall/config/update.h>

#include <ringwall/config/load.h>
#include <ringwall/config/schema.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "unit/catch.h"

using namespace ringwall::config;

namespace {

Config loaded(const std::string& text) {
  const auto config = load({.file = "ringwall.toml", .text = text, .check_files = false});
  if (!config) FAIL(to_text(config.error().front()));
  return *config;
}

// A plain listener on a port of its own, with whatever follows.
std::string listener(int port, const std::string& more = "") {
  return "[[listener]]\naddress = '127.0.0.1:" + std::to_string(port) + "'\nkind = 'plain'\n" + more;
}

std::vector<std::string> fields_of(const std::vector<Difference>& differences) {
  std::vector<std::string> fields;
  for (const Difference& difference : differences) fields.push_back(difference.field);
  return fields;
}

using Fields = std::vector<std::string>;

}  // namespace

TEST_CASE("what is the same changes nothing") {
  const Config config = loaded(listener(8080) + listener(8081));
  const Update result = update(config, config);
  CHECK(result.config == config);
  CHECK(result.taken.empty());
  CHECK(result.left.empty());
}

TEST_CASE("a live field is taken, one that needs a restart is named and left") {
  const Config running = loaded(listener(8080));
  const Config read = loaded(
      "[server]\nshards = 3\n[log]\nlevel = 'debug'\n[limits]\naddress_units_per_s = 5\naddress_entries = 32768\n"
      "[methods]\nallow = ['eth_*']\n[timeouts]\nhead_ms = '5s'\n" +
      listener(8080, "origins = ['https://a.example']\n") + "[[upstream]]\nconnections_max = 7\n");
  const Update result = update(running, read);
  CHECK(result.taken == std::vector<Difference>{{"log.level", "\"info\"", "\"debug\""},
                                                {"methods.allow", "[]", "[\"eth_*\"]"},
                                                {"limits.address_units_per_s", "1000", "5"},
                                                {"timeouts.head_ms", "\"10s\"", "\"5s\""},
                                                {"listener[0].origins", "[]", "[\"https://a.example\"]"}});
  CHECK(result.left == std::vector<Difference>{{"server.shards", "\"auto\"", "3"},
                                               {"limits.address_entries", "65536", "32768"},
                                               {"upstream[0].connections_max", "\"none\"", "7"}});
  Config expected = running;
  expected.log.level = ringwall::log::Level::debug;
  expected.methods.allow = {"eth_*"};
  expected.limits.address_units_per_s = 5;
  expected.timeouts.head_ms = 5'000;
  expected.listeners[0].origins = {"https://a.example"};
  CHECK(result.config == expected);
  CHECK(update(result.config, read).taken.empty());
  CHECK(update(result.config, read).left == result.left);
}

TEST_CASE("a difference is one readable line") {
  CHECK(to_text(Difference{"timeouts.head_ms", "\"10s\"", "\"5s\""}) == "timeouts.head_ms: \"10s\" -> \"5s\"");
  CHECK(to_text(Difference{"methods.allow", "[]", std::string(10'000, 'x')}).size() < 300);
}

TEST_CASE("listeners are the same by their address, wherever they stand") {
  const Config running = loaded(listener(8080) + listener(8081));
  const Update result = update(running, loaded(listener(8081, "public_name = 'b.example'\n") + listener(8080)));
  CHECK(result.taken == std::vector<Difference>{{"listener[0].public_name", "\"\"", "\"b.example\""}});
  CHECK(result.left.empty());
  CHECK(result.config.listeners[1].public_name == "b.example");
  CHECK(result.config.listeners[0] == running.listeners[0]);
}

TEST_CASE("a listener more, fewer, or elsewhere needs a restart, and the others change all the same") {
  const Config running = loaded(listener(8080) + listener(8081));
  const Update more =
      update(running, loaded(listener(8080, "public_name = 'a.example'\n") + listener(8081) + listener(8082)));
  CHECK(fields_of(more.taken) == Fields{"listener[0].public_name"});
  CHECK(more.left == std::vector<Difference>{{"listener[2]", "none", "\"127.0.0.1:8082\""}});
  CHECK(more.config.listeners.size() == 2);
  const Update fewer = update(running, loaded(listener(8081, "public_name = 'b.example'\n")));
  CHECK(fields_of(fewer.taken) == Fields{"listener[0].public_name"});
  CHECK(fewer.left == std::vector<Difference>{{"listener 127.0.0.1:8080", "there", "gone"}});
  CHECK(fewer.config.listeners[1].public_name == "b.example");
  const Update moved = update(running, loaded(listener(9090, "public_name = 'a.example'\n") + listener(8081)));
  CHECK(fields_of(moved.taken) == Fields{"listener[0].public_name"});
  CHECK(moved.left == std::vector<Difference>{{"listener[0].address", "\"127.0.0.1:8080\"", "\"127.0.0.1:9090\""}});
  CHECK(moved.config.listeners[0].address == running.listeners[0].address);
}

TEST_CASE("a listener of another kind stays as it is as a whole, since its settings go with its kind") {
  const Config running = loaded(listener(8080));
  const Update result = update(
      running,
      loaded(
          "[[listener]]\naddress = '127.0.0.1:8080'\nself_signed = ['localhost']\norigins = ['https://a.example']\n"));
  CHECK(result.taken.empty());
  CHECK(fields_of(result.left) == Fields{"listener[0].kind", "listener[0].self_signed", "listener[0].origins"});
  CHECK(result.config == running);
}

TEST_CASE("routes are taken with the upstreams that run, by name") {
  const std::string nodes = "[[upstream]]\nname = 'a'\naddress = 'a:1'\n[[upstream]]\nname = 'b'\naddress = 'b:1'\n";
  const std::string swapped = "[[upstream]]\nname = 'b'\naddress = 'b:1'\n[[upstream]]\nname = 'a'\naddress = 'a:1'\n";
  const Config running = loaded(listener(8080, "upstream = 'a'\n") + nodes);
  const Update result = update(
      running, loaded(listener(8080, "upstream = 'a'\n[[listener.route]]\npath = '/b'\nupstream = 'b'\n") + swapped));
  CHECK(result.taken == std::vector<Difference>{{"listener[0].route", "none", "1 of them"}});
  CHECK(result.left.empty());
  CHECK(result.config.upstreams == running.upstreams);
  CHECK(result.config.listeners[0].upstream_index == 0);
  REQUIRE(result.config.listeners[0].routes.size() == 1);
  CHECK(result.config.listeners[0].routes[0].upstream_index == 1);
}

TEST_CASE("a listener that leads to an upstream that does not run yet stays as it is") {
  const Config running = loaded(listener(8080) + "[[upstream]]\nname = 'a'\n");
  const Update result =
      update(running, loaded(listener(8080,
                                      "public_name = 'a.example'\n"
                                      "[[listener.route]]\npath = '/b'\nupstream = 'b'\n") +
                             "[[upstream]]\nname = 'a'\n[[upstream]]\nname = 'b'\naddress = 'b:1'\n"));
  CHECK(result.taken.empty());
  CHECK(fields_of(result.left) == Fields{"upstream[1]", "listener[0].public_name", "listener[0].route"});
  CHECK(result.config == running);
  const Update gone =
      update(loaded(listener(8080, "upstream = 'b'\n") + "[[upstream]]\nname = 'a'\n[[upstream]]\nname = 'b'\n"
                                                         "address = 'b:1'\n"),
             loaded(listener(8080, "upstream = 'a'\n") + "[[upstream]]\nname = 'a'\n"));
  CHECK(fields_of(gone.taken) == Fields{"listener[0].upstream"});
  CHECK(gone.left == std::vector<Difference>{{"upstream \"b\"", "there", "gone"}});
  CHECK(gone.config.upstreams.size() == 2);
  CHECK(gone.config.listeners[0].upstream_index == 0);
}

TEST_CASE("another node under an upstream's place or name needs a restart") {
  const Config running = loaded(listener(8080) + "[[upstream]]\nname = 'a'\naddress = 'a:1'\n");
  const Update moved = update(running, loaded(listener(8080) + "[[upstream]]\nname = 'a'\naddress = 'a:2'\n"));
  CHECK(fields_of(moved.left) == Fields{"upstream[0].address"});
  CHECK(moved.config == running);
  const Update renamed = update(running, loaded(listener(8080) + "[[upstream]]\nname = 'b'\naddress = 'a:1'\n"));
  CHECK(fields_of(renamed.left) == Fields{"upstream[0].name", "listener[0].upstream"});
  CHECK(renamed.config == running);
}

TEST_CASE("of certificates and routes the one that differs is named") {
  const std::string one = "[[listener]]\n[[listener.certificate]]\ncert = 'a'\nkey = 'b'\n";
  const Config running = loaded(one + "[[listener.route]]\npath = '/a'\nmode = 'tunnel'\n");
  const Update result = update(running, loaded("[[listener]]\n[[listener.certificate]]\ncert = 'a'\nkey = 'c'\n"
                                               "[[listener.route]]\npath = '/a'\n"));
  CHECK(result.taken == std::vector<Difference>{{"listener[0].certificate[0].key", "\"b\"", "\"c\""},
                                                {"listener[0].route[0].mode", "\"tunnel\"", "\"\""}});
}

TEST_CASE("each field that the sample calls live is taken, and none of the others") {
  std::size_t live = 0;
  std::size_t fixed = 0;
  for (const Field<Limits>& field : fields<Limits>()) (is_live(SectionId::limits, field.row) ? live : fixed) += 1;
  CHECK(live > 20);
  CHECK(fixed == 8);
  CHECK_FALSE(std::ranges::any_of(fields<Upstream>(),
                                  [](const auto& field) { return is_live(SectionId::upstream, field.row); }));
}

#include "devnode/options.h"

#include <CLI/CLI.hpp>

namespace ringwall::devnode {

namespace {

constexpr const char* footer =
    "Methods for load, beside those of a node:\n"
    "  echo ANYTHING                  its params, as they were written\n"
    "  dev_bytes [BYTES]              a string of so many bytes\n"
    "  dev_subscribePush [PACE]       notifications dev_push with {\"number\",\"fill\"}; dev_unsubscribePush [ID]\n"
    "      PACE is {\"bytes\": 1000, \"per_second\": 10} or {\"bytes\": 1000, \"interval_us\": 100000};\n"
    "      with \"count\" they end. A reader that is behind gets them late, but all of them.\n"
    "Methods that make it ill:\n"
    "  dev_setHealth HEALTH           {\"peers\": 0, \"isSyncing\": true, \"shouldHavePeers\": true}, for "
    "system_health\n"
    "  dev_holdBlocks [true]          no block follows; [false]: they go on";

constexpr std::uint32_t message_bytes_max = 1U << 30;  // what ClientMessages takes

}  // namespace

void describe(CLI::App& app, Options& options) {
  app.description(
      "A stand-in for a Polkadot/Substrate node's RPC port, for demonstrations and tests. It has blocks that advance,\n"
      "but executes nothing and knows no network.");
  app.footer(footer);
  app.add_option("--listen", options.listen, "ADDR:PORT; port 0 takes a free one, which the first line names")
      ->capture_default_str();
  app.add_option("--metadata", options.metadata_file, "a runtime's metadata: SCALE bytes, 0x text, or a JSON answer")
      ->check(CLI::ExistingFile);
  app.add_option("--runtime-version", options.runtime_version_file, "JSON to answer state_getRuntimeVersion with")
      ->check(CLI::ExistingFile);
  app.add_option("--block-ms", options.block_ms, "time between blocks")
      ->capture_default_str()
      ->check(CLI::Range(20U, 86'400'000U));
  app.add_option("--finality-lag", options.finality_lag, "blocks from the finalized to the best")
      ->capture_default_str();
  app.add_option("--ping-ms", options.ping_ms, "time between the pings to a WebSocket")
      ->capture_default_str()
      ->check(CLI::Range(20U, 86'400'000U));
  app.add_option("--connections-max", options.connections_max, "WebSockets and requests at a time, then 429")
      ->capture_default_str();
  app.add_option("--subscriptions-max", options.subscriptions_max, "of one WebSocket")->capture_default_str();
  app.add_option("--request-bytes-max", options.request_bytes_max, "of one message or body")
      ->capture_default_str()
      ->check(CLI::Range(1U, message_bytes_max));
  app.add_option("--response-bytes-max", options.response_bytes_max, "of one answer")
      ->capture_default_str()
      ->check(CLI::Range(1U, message_bytes_max));
  app.add_option_function<std::string>(
         "--cors", [&options](const std::string& which) { options.allow_any_host = which == "all"; },
         "local: Host and Origin must be of this machine (the default); all: any will do")
      ->check(CLI::IsMember({"local", "all"}));
  app.add_option_function<std::string>(
         "--rpc-methods", [&options](const std::string& which) { options.allow_unsafe = which == "unsafe"; },
         "safe: unsafe calls are denied (the default); unsafe: they are answered")
      ->check(CLI::IsMember({"safe", "unsafe"}));
  app.add_flag("--id-last", options.id_last, "answers with the id after the result, as older nodes do");
}

}  // namespace ringwall::devnode

// ringwall-devnode: a stand-in for a node's RPC port. See README.md.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <utility>

#include "devnode/options.h"
#include "devnode/runtime.h"
#include "devnode/server.h"

namespace {

using namespace ringwall;

constexpr int usage_error = 2;

Result<devnode::Runtime> load_runtime(const devnode::Options& options) {
  std::string metadata, version;
  if (!options.metadata_file.empty()) {
    auto content = devnode::read_file(options.metadata_file);
    if (!content) return std::unexpected(content.error());
    if (content->empty()) return fail(options.metadata_file + ": the file is empty");
    metadata = std::move(*content);
  }
  if (!options.runtime_version_file.empty()) {
    auto content = devnode::read_file(options.runtime_version_file);
    if (!content) return std::unexpected(content.error());
    version = std::move(*content);
  }
  return devnode::Runtime::create(metadata, std::move(version));
}

int fail_with(const Error& error) {
  std::fprintf(stderr, "ringwall-devnode: %s\n", error.message.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  devnode::Options options;
  CLI::App app;
  devnode::describe(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& said) {
    return app.exit(said) == 0 ? 0 : usage_error;
  }
  auto runtime = load_runtime(options);
  if (!runtime) return fail_with(runtime.error());
  const auto server = devnode::Server::create(options, std::move(*runtime));
  if (!server) return fail_with(server.error());
  std::printf("%s\n", (*server)->introduction().c_str());
  std::fflush(stdout);
  (*server)->run();
  return 0;
}

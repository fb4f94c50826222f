#include "load/session.h"

#include <simdjson.h>

#include <string>

#include <stdlib.h>
#include <unistd.h>

#include "load/interrupter.h"
#include "load/mix.h"
#include "unit/catch.h"

using namespace ringwall;
using namespace ringwall::load;

// Connecting, warm-up and the end are no part of it: only the run knows when the measured time was.
TEST_CASE("how busy the machine was is what the run saw in its measured time") {
  char path[] = "/tmp/session_test.XXXXXX";
  const int file = mkstemp(path);
  REQUIRE(file >= 0);
  close(file);
  Asked asked;
  asked.plan.mix = *Mix::built_in("wallet");
  asked.json_file = path;
  asked.quiet = true;
  const auto interrupter = Interrupter::install();
  REQUIRE(interrupter);
  const int status = run_session(asked, *interrupter, [](const Plan&, const Watch&) -> Result<Outcome> {
    Outcome outcome;
    outcome.measured_s = 1;
    outcome.connections_open = 50;
    outcome.tally.flow.answers = outcome.tally.flow.answers_in_time = 10;
    outcome.machine_busy_share = 0.987;
    return outcome;
  });
  CHECK(status == 0);
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  REQUIRE(parser.load(path).get(document) == simdjson::SUCCESS);
  unlink(path);
  CHECK(double(document["machine_busy_share"]) == 0.987);
  const std::string_view remark = document["remarks"].at(0);
  CHECK(remark.starts_with("This machine was busy: its cores were 99 % busy"));
}

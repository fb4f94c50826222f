#include <ringwall/session/account.h>

#include "unit/catch.h"

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <variant>

namespace ringwall::session {
namespace {

Account account() {
  return {.figures = {.client = *parse_address("2001:db8::1"),
                      .tally = {.units = 60, .calls = 3, .subscriptions = 2},
                      .received_bytes = 1'000,
                      .sent_bytes = 2'000},
          .age_ns = 1'500'000'000,
          .listener = std::make_shared<const std::string>("0.0.0.0:443"),
          .upstream = "node",
          .state = State::relay,
          .calls_in_flight = 1,
          .subscriptions_open = 2,
          .tls = AgreedTls{.version = tls::Version::tls13, .cipher = tls::Cipher::aes_256_gcm, .resumed = true}};
}

std::string text_of(const Account& account) {
  std::string text;
  const AccountFields fields(account);
  log::append_line(text, {.sentence = "it", .fields = fields.span()}, {.is_journal = true}, log::Time{});
  return text;
}

TEST_CASE("of a session that goes on it is told what is under way") {
  CHECK(text_of(account()) ==
        "<6>it client=2001:db8::1 listener=0.0.0.0:443 upstream=node state=relay age_s=1.500 received_bytes=1000 "
        "sent_bytes=2000 calls=3 units=60 denied=0 limited=0 subscriptions=2 calls_in_flight=1 subscriptions_open=2 "
        "tls=1.3 suite=aes_256_gcm resumed=true\n");
}

TEST_CASE("of a session that ends it is told by whom and why") {
  Account ended = account();
  ended.reason = EndReason::client_gone;
  CHECK(text_of(ended) ==
        "<6>it client=2001:db8::1 listener=0.0.0.0:443 upstream=node by=client reason=client_gone state=relay "
        "age_s=1.500 received_bytes=1000 sent_bytes=2000 calls=3 units=60 denied=0 limited=0 subscriptions=2 tls=1.3 "
        "suite=aes_256_gcm resumed=true\n");
}

TEST_CASE("a session with all there is to tell, and one more, has room for it") {
  for (const EndReason reason : {EndReason::none, EndReason::tls_failed}) {
    Account full = account();
    full.reason = reason;
    full.tls_failure = {.reason = tls::FailureReason::peer_alert, .alert_sent = {}, .alert_received = 40};
    AccountFields fields(full);
    fields.add("left_out", std::uint64_t{3});
    std::set<std::string_view> names;
    for (const log::Field& field : fields.span()) CHECK(names.insert(field.name).second);
    CHECK(names.contains("left_out"));
  }
}

TEST_CASE("numbers are numbers and truths are truths") {
  const Account one = account();
  const AccountFields fields(one);
  std::set<std::string_view> words;
  for (const log::Field& field : fields.span()) {
    if (std::holds_alternative<std::string_view>(field.value)) words.insert(field.name);
  }
  CHECK(words == std::set<std::string_view>{"client", "listener", "upstream", "state", "tls", "suite"});
}

TEST_CASE("a session of which nobody knows anything yet is told without what is not there") {
  CHECK(text_of(Account{}) ==
        "<6>it client=:: state=handshake age_s=0.000 received_bytes=0 sent_bytes=0 calls=0 units=0 denied=0 limited=0 "
        "subscriptions=0 calls_in_flight=0 subscriptions_open=0\n");
}

}  // namespace
}  // namespace ringwall::session

// reason.h: wolfSSL's error numbers as failure reasons.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <ringwall/tls/failure.h>
#include <ringwall/tls/keys.h>

namespace ringwall::tls {

[[nodiscard]] FailureReason reason_for(int error, std::optional<std::uint8_t> alert_received);
[[nodiscard]] std::string text_for(int error, const Failure& failure, Role role);
// What is due to a peer that gets nothing from wolfSSL itself.
[[nodiscard]] std::optional<std::uint8_t> alert_for(FailureReason reason);

}  // namespace ringwall::tls

// phase.h: where the process stands between its start and its end, for those who ask whether to send it clients.
//
// Written by the server's main thread alone; read by any. Ready is Phase::serving and nothing else: on SIGTERM
// `draining` is published first, while clients are served as before for timeouts.drain_delay_ms.
#pragma once

#include <atomic>
#include <cstdint>

namespace ringwall::shard {

enum class Phase : std::uint8_t { starting, serving, draining };

using PublishedPhase = std::atomic<Phase>;

}  // namespace ringwall::shard

// state.h: where a session stands, and which way it can go from there.
//
//   proxy_header > handshake                                                  where a load balancer is in front
//   handshake > head > body > connecting > awaiting > responding > head ...   HTTP
//                      body > head ...                                          a call that is answered here
//               head > connecting > awaiting > relay > closing                WebSocket
//                                   awaiting > tunnel                         peer-to-peer
//   and from everywhere > ending, in which only the client's TCP is still to be closed.
#pragma once

#include <cstdint>
#include <string_view>

namespace ringwall::session {

enum class State : std::uint8_t {
  proxy_header,  // which says who the client is, and precedes TLS
  handshake,     // TLS
  head,          // of a request: none, or part of it, has come
  body,          // of a request, to be had whole before the node is asked
  connecting,    // to the node
  awaiting,      // the node's head
  responding,    // the node's answer goes to the client as it comes
  relay,         // WebSocket frames both ways
  closing,       // one side has said Close, or must be told; what was begun is finished
  tunnel,        // bytes both ways
  ending,        // the node is gone from here; the client's connection closes
};

[[nodiscard]] std::string_view name(State state);

[[nodiscard]] constexpr bool may_follow(State from, State to) {
  switch (to) {
    case State::proxy_header:
      return false;
    case State::handshake:
      return from == State::proxy_header;
    case State::head:
      return from == State::handshake || from == State::body || from == State::responding;
    case State::body:
      return from == State::head;
    case State::connecting:
      return from == State::head || from == State::body || from == State::awaiting || from == State::connecting;
    case State::awaiting:
      return from == State::connecting || from == State::body;
    case State::responding:
    case State::relay:
    case State::tunnel:
      return from == State::awaiting;
    case State::closing:
      return from == State::relay;
    case State::ending:
      return from != State::ending;
  }
  return false;
}

}  // namespace ringwall::session

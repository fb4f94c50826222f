// method_table.h: which calls may pass, and what each costs.
//
// Built once from the configuration, immutable afterwards, shared by all shards. decide() allocates nothing.
//
// `deny` wins over `allow`, and `allow` over the policy; `deny` holds under `all` too. A method in `allow` passes
// whatever its params, but for `runtime_apis`, which hold under every policy. What is invalid never passes.
#pragma once

#include <ringwall/error.h>
#include <ringwall/rpc/call.h>
#include <ringwall/rpc/methods.h>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ringwall::rpc {

enum class Policy : std::uint8_t {
  safe,  // the known safe methods
  open,  // all but the known unsafe ones
  all,   // all
};

struct MethodCost {
  std::string pattern;
  std::uint32_t units = 0;
};

// A pattern is a method's name, or the start of one and an asterisk: `eth_*`.
struct MethodSettings {
  Policy policy = Policy::safe;
  std::vector<std::string> allow;
  std::vector<std::string> deny;
  std::uint32_t cheap_units = 1;
  std::uint32_t normal_units = 5;  // of unknown methods too
  std::uint32_t heavy_units = 20;
  std::vector<MethodCost> costs;  // the name wins over a prefix, a longer prefix over a shorter one
  // The functions that state_call and its kin may run (Core_version, BabeApi_*). Empty: any.
  std::vector<std::string> runtime_apis;
};

enum class Verdict : std::uint8_t {
  allowed,
  unsafe_,      // -32601, as the node says it
  not_offered,  // -32601
  invalid,      // -32600: Call::Form::invalid
};

struct Decision {
  Verdict verdict = Verdict::invalid;
  Kind kind = Kind::call;
  CostClass cost = CostClass::normal;  // of an unknown method too, and whatever methods.costs says
  std::uint32_t cost_units = 0;        // of a denied call too
  // The method, for counters: less than MethodTable::methods().size(), or no_method for one that is named nowhere.
  MethodIndex method = no_method;
  MethodIndex pair = no_method;  // of a known method alone
  bool is_unknown = false;       // not offered for that alone: `allow` would let it pass
};

class MethodTable {
 public:
  // Fails when a pattern is empty, has an asterisk before its end, or there are more than patterns_max in a list.
  static Result<MethodTable> make(const MethodSettings& settings);

  Decision decide(const Call& call) const;

  // The verdict on a method by its name alone; `allowed` for a conditional one that may pass.
  Verdict verdict_on(std::string_view method) const;

  // The names that a MethodIndex stands for: the known methods, then those named in the configuration.
  std::span<const std::string> methods() const { return names_; }

  // rpc_methods: the call that is answered here rather than by the node.
  MethodIndex methods_call() const { return methods_call_; }

  // The `result` of rpc_methods as JSON text: of `offered`, the methods that the node says it has, those that are
  // allowed here, sorted. With nothing known of the node: of the known methods. May allocate; not for each call.
  std::string methods_result(std::span<const std::string> offered) const;

 private:
  struct Row {
    Verdict verdict = Verdict::not_offered;
    Kind kind = Kind::call;
    CostClass cost = CostClass::normal;
    Condition condition = Condition::none;
    MethodIndex pair = no_method;
    std::uint32_t cost_units = 0;
    bool is_unknown = false;
  };

  MethodTable() = default;
  void add_names();
  void index_names();
  std::size_t first_slot(std::string_view name) const;
  MethodIndex find(std::string_view name) const;
  Row row_of(std::string_view name, const Method* known) const;
  Verdict on_params(Condition condition, std::string_view params) const;

  MethodSettings settings_;
  std::vector<std::string> names_;
  std::vector<Row> rows_;           // one a name
  std::vector<MethodIndex> slots_;  // open addressing, at most half full; no_method where nothing is
  MethodIndex methods_call_ = no_method;
};

}  // namespace ringwall::rpc

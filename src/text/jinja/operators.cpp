#include "text/jinja/operators.h"

#include <algorithm>
#include <cmath>

#include "text/jinja/runtime.h"

namespace hone::jinja {

namespace {

constexpr std::string_view spelling(Op op) {
  constexpr std::string_view spellings[] = {"+", "-", "*", "/", "//", "%", "**"};
  return spellings[static_cast<std::size_t>(op)];
}

[[noreturn]] void unsupported(Runtime& runtime, Op op, Value a, Value b) {
  if (a.is(Kind::undefined)) fail_undefined(runtime, a);
  if (b.is(Kind::undefined)) fail_undefined(runtime, b);
  runtime.fail("'{}' does not work between a {} and a {}", spelling(op), type_name(a), type_name(b));
}

[[noreturn]] void overflow(Runtime& runtime) { runtime.fail("the integer result does not fit 64 bits"); }

std::int64_t integer_power(Runtime& runtime, std::int64_t base, std::int64_t exponent) {
  std::int64_t result = 1;
  while (exponent > 0) {
    if ((exponent & 1) != 0 && __builtin_mul_overflow(result, base, &result)) overflow(runtime);
    exponent >>= 1;
    if (exponent > 0 && __builtin_mul_overflow(base, base, &base)) overflow(runtime);
  }
  return result;
}

Value integers(Runtime& runtime, Op op, std::int64_t a, std::int64_t b, bool data) {
  std::int64_t result = 0;
  switch (op) {
    case Op::add:
      if (__builtin_add_overflow(a, b, &result)) overflow(runtime);
      break;
    case Op::subtract:
      if (__builtin_sub_overflow(a, b, &result)) overflow(runtime);
      break;
    case Op::multiply:
      if (__builtin_mul_overflow(a, b, &result)) overflow(runtime);
      break;
    case Op::divide:
      if (b == 0) runtime.fail("division by zero");
      return Value::of(static_cast<double>(a) / static_cast<double>(b), data);
    case Op::floor_divide:
    case Op::modulo: {
      if (b == 0) runtime.fail("division by zero");
      if (b == -1) return op == Op::modulo ? Value::of(std::int64_t{0}, data) : integers(runtime, Op::subtract, 0, a, data);
      const bool down = a % b != 0 && (a % b < 0) != (b < 0);
      result = op == Op::modulo ? a % b + (down ? b : 0) : a / b - (down ? 1 : 0);
      break;
    }
    default:
      if (b < 0) {
        if (a == 0) runtime.fail("0 cannot be raised to a negative power");
        return Value::of(std::pow(static_cast<double>(a), static_cast<double>(b)), data);
      }
      result = integer_power(runtime, a, b);
  }
  return Value::of(result, data);
}

double real_modulo(double a, double b) {
  double rest = std::fmod(a, b);
  if (rest != 0 && (rest < 0) != (b < 0)) rest += b;
  return rest == 0 ? std::copysign(0.0, b) : rest;
}

Value reals(Runtime& runtime, Op op, double a, double b, bool data) {
  const bool divides = op == Op::divide || op == Op::floor_divide || op == Op::modulo;
  if (divides && b == 0) runtime.fail("division by zero");
  double result = 0;
  switch (op) {
    case Op::add: result = a + b; break;
    case Op::subtract: result = a - b; break;
    case Op::multiply: result = a * b; break;
    case Op::divide: result = a / b; break;
    case Op::floor_divide: result = std::floor((a - real_modulo(a, b)) / b + 0.5); break;
    case Op::modulo: result = real_modulo(a, b); break;
    default:
      if (a == 0 && b < 0) runtime.fail("0 cannot be raised to a negative power");
      result = std::pow(a, b);
      if (std::isinf(result) && std::isfinite(a) && std::isfinite(b)) runtime.fail("the power is too large");
      if (std::isnan(result) && !std::isnan(a) && !std::isnan(b)) runtime.fail("the power is a complex number");
  }
  return Value::of(result, data);
}

Value repeated(Runtime& runtime, Value value, Value times) {
  const std::int64_t count = std::max<std::int64_t>(0, times.as_int());
  if (value.is_string()) {
    const Str& text = *value.string;
    if (text.size > 0 && count > static_cast<std::int64_t>(runtime.limits.output_bytes / text.size)) {
      runtime.check_string_size(runtime.limits.output_bytes + 1);
    }
    runtime.spend(text.size == 0 ? 1 : count / 8);
    TextBuilder out(runtime);
    for (std::int64_t i = 0; i < count && text.size > 0; ++i) out.append(text);
    return Value::of(out.finish(text.safe));
  }
  const Items& items = *value.items;
  const auto limit = static_cast<std::int64_t>(runtime.limits.memory_bytes / sizeof(Value));
  if (items.size > 0 && count > limit / static_cast<std::int64_t>(items.size)) {
    runtime.fail("a {} of {} times {} items is too large", type_name(value), count, items.size);
  }
  const std::size_t size = items.size * static_cast<std::size_t>(items.size == 0 ? 0 : count);
  runtime.spend(static_cast<std::int64_t>(size / 8));
  Value* all = runtime.array<Value>(size);
  for (std::size_t i = 0; i < size; ++i) all[i] = items.data[i % items.size];
  return Value::of(value.kind, runtime.make<Items>(all, size), value.data);
}

Value joined(Runtime& runtime, Value a, Value b) {
  if (a.is_string()) {
    runtime.spend_bytes(b.string->size);
    if (!a.string->safe && !b.string->safe) return Value::of(concat(runtime, *a.string, *b.string));
    TextBuilder out(runtime);
    out.append(*escaped_html(runtime, *a.string));
    out.append(*escaped_html(runtime, *b.string));
    return Value::of(out.finish(true));
  }
  const std::size_t size = a.items->size + b.items->size;
  runtime.spend(static_cast<std::int64_t>(size / 8));
  Value* all = runtime.array<Value>(size);
  std::copy_n(a.items->data, a.items->size, all);
  std::copy_n(b.items->data, b.items->size, all + a.items->size);
  return Value::of(a.kind, runtime.make<Items>(all, size), a.data || b.data);
}

}  // namespace

Value arithmetic(Runtime& runtime, Op op, Value a, Value b) {
  if (a.is_number() && b.is_number()) {
    const bool data = a.data || b.data;
    if (a.is_int() && b.is_int()) return integers(runtime, op, a.as_int(), b.as_int(), data);
    return reals(runtime, op, a.as_real(), b.as_real(), data);
  }
  if (op == Op::add && a.kind == b.kind && (a.is_string() || a.is_sequence())) return joined(runtime, a, b);
  if (op == Op::modulo && a.is_string()) return percent_format(runtime, *a.string, b);
  if (op == Op::multiply) {
    if ((a.is_string() || a.is_sequence()) && b.is_int()) return repeated(runtime, a, b);
    if ((b.is_string() || b.is_sequence()) && a.is_int()) return repeated(runtime, b, a);
  }
  unsupported(runtime, op, a, b);
}

Value negative(Runtime& runtime, Value a) {
  if (a.is(Kind::real)) return Value::of(-a.real, a.data);
  if (a.is_int()) return integers(runtime, Op::subtract, 0, a.as_int(), a.data);
  if (a.is(Kind::undefined)) fail_undefined(runtime, a);
  runtime.fail("'-' does not work on a {}", type_name(a));
}

Value positive(Runtime& runtime, Value a) {
  if (a.is(Kind::real)) return a;
  if (a.is_int()) return Value::of(a.as_int(), a.data);
  if (a.is(Kind::undefined)) fail_undefined(runtime, a);
  runtime.fail("'+' does not work on a {}", type_name(a));
}

bool compares(Runtime& runtime, Op op, Value a, Value b) {
  switch (op) {
    case Op::eq: return equal(runtime, a, b);
    case Op::ne: return !equal(runtime, a, b);
    case Op::in: return contains(runtime, b, a);
    case Op::not_in: return !contains(runtime, b, a);
    default: break;
  }
  if (a.is_number() && b.is_number() && (std::isnan(a.as_real()) || std::isnan(b.as_real()))) return false;
  const int order = compare(runtime, a, b);
  switch (op) {
    case Op::lt: return order < 0;
    case Op::le: return order <= 0;
    case Op::gt: return order > 0;
    default: return order >= 0;
  }
}

}  // namespace hone::jinja

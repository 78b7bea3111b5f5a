#include "drivers/http/json_mask.hpp"

#include <algorithm>

namespace qnfv {

namespace {

constexpr size_t levels_max = 32;

bool is_space(uint8_t c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool is_literal(uint8_t c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == 'E' || c == '+' || c == '-' || c == '.';
}

} // namespace

const shown_name* find_name(const shown_names& names, std::string_view x) {
  auto i = std::find_if(names.begin(), names.end(), [&](auto& known) { return known.name == x; });
  return i == names.end() ? nullptr : &*i;
}

bool begins_name(const shown_names& names, std::string_view x) {
  return std::any_of(names.begin(), names.end(),
                     [&](auto& known) { return known.name.substr(0, x.size()) == x; });
}

void json_mask::reset() {
  levels_.clear();
  want_ = want::value;
  within_ = within::no;
  shown_ = false;
  escaped_ = false;
}

uint8_t json_mask::step(uint8_t c) {
  switch (within_) {
  case within::no:
    return outside(c);
  case within::name:
    return in_name(c);
  case within::text:
    return in_text(c);
  case within::literal:
    return in_literal(c);
  case within::garbage:
    break;
  }
  return masked_byte;
}

uint8_t json_mask::spoilt() {
  within_ = within::garbage;
  return masked_byte;
}

void json_mask::value_ended() {
  want_ = levels_.empty() ? want::nothing : want::comma_or_end;
}

void json_mask::enter(level x) {
  want_ = x.object ? want::name_or_end : want::value_or_end;
  levels_.push_back(x);
}

uint8_t json_mask::outside(uint8_t c) {
  if (is_space(c))
    return c;
  auto in_object = !levels_.empty() && levels_.back().object;
  auto may_end = want_ == want::comma_or_end || want_ == (in_object ? want::name_or_end : want::value_or_end);
  auto wants_name = want_ == want::name || want_ == want::name_or_end;
  if ((c == '{' || c == '[') && wants_value() && levels_.size() < levels_max) {
    enter({c == '{', c == '[' && shown_});
  } else if ((c == '}' || c == ']') && !levels_.empty() && in_object == (c == '}') && may_end) {
    levels_.pop_back();
    value_ended();
  } else if (c == ':' && want_ == want::colon) {
    want_ = want::value;
  } else if (c == ',' && want_ == want::comma_or_end) {
    want_ = in_object ? want::name : want::value;
    shown_ = !in_object && levels_.back().shown;
  } else if (c == '"' && wants_name) {
    within_ = within::name;
    name_.clear();
  } else if (c == '"' && wants_value()) {
    within_ = within::text;
  } else if (is_literal(c) && wants_value()) {
    within_ = within::literal;
    return in_literal(c);
  } else {
    return spoilt();
  }
  return c;
}

uint8_t json_mask::in_name(uint8_t c) {
  if (c < ' ')
    return spoilt();
  if (c == '"' && !escaped_) {
    auto* known = find_name(names_, name_);
    shown_ = known && known->value;
    within_ = within::no;
    want_ = want::colon;
    return c;
  }
  escaped_ = c == '\\' && !escaped_;
  // An escape makes it a name that is not known, however it reads.
  if (begins_name(names_, name_))
    name_ += static_cast<char>(c);
  return begins_name(names_, name_) ? c : masked_byte;
}

uint8_t json_mask::in_text(uint8_t c) {
  if (c < ' ')
    return spoilt();
  if (c == '"' && !escaped_) {
    within_ = within::no;
    value_ended();
    return c;
  }
  escaped_ = c == '\\' && !escaped_;
  return shown_ ? c : masked_byte;
}

uint8_t json_mask::in_literal(uint8_t c) {
  if (is_literal(c))
    return shown_ ? c : masked_byte;
  within_ = within::no;
  value_ended();
  return outside(c);
}

} // namespace qnfv

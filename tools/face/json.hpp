#pragma once

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cmath>
#include <string>

namespace qnfv {

/// One JSON value, field by field.
class json {
public:
  void begin() { out_.StartObject(); }
  void end() { out_.EndObject(); }
  void key(const char* name) { out_.Key(name); }
  void field(const char* name, const std::string& x) {
    out_.Key(name);
    out_.String(x.data(), static_cast<rapidjson::SizeType>(x.size()));
  }
  void field(const char* name, uint64_t x) {
    out_.Key(name);
    out_.Uint64(x);
  }
  /// To a millionth; 0 for what is no number.
  void field(const char* name, double x) {
    out_.Key(name);
    out_.Double(std::isfinite(x) ? std::round(x * 1e6) / 1e6 : 0);
  }
  void text(const std::string& x) {
    out_.String(x.data(), static_cast<rapidjson::SizeType>(x.size()));
  }
  void number(uint64_t x) { out_.Uint64(x); }
  void flag(const char* name, bool x) {
    out_.Key(name);
    out_.Bool(x);
  }
  void nothing(const char* name) {
    out_.Key(name);
    out_.Null();
  }
  template <class List, class F>
  void list(const List& all, F each) {
    out_.StartArray();
    for (auto& x : all)
      each(*this, x);
    out_.EndArray();
  }
  template <class List, class F>
  void list(const char* name, const List& all, F each) {
    out_.Key(name);
    list(all, each);
  }
  /// A list of objects, whose fields `each` writes.
  template <class List, class F>
  void objects(const char* name, const List& all, F each) {
    list(name, all, [&](json& to, auto& x) {
      to.begin();
      each(to, x);
      to.end();
    });
  }
  std::string whole() const { return {buffer_.GetString(), buffer_.GetSize()}; }

private:
  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> out_{buffer_};
};

} // namespace qnfv

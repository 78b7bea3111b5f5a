#pragma once

// Basic authentication (RFC 7617): a name and a password in every request.

#include "runtime/base/secret.hpp"

#include <string>

namespace qnfv {

/// "Basic YWRtaW46YWRtaW4=". The name must not hold a ':'.
secret basic_authorization(const std::string& user, const secret& password);

/// Does `given`, as a client sent it, say what `expected` does? Takes as long for every wrong
/// password of the same length.
bool same_authorization(const secret& given, const secret& expected);

} // namespace qnfv

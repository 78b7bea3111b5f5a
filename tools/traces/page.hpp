#pragma once

#include <string_view>

namespace qnfv {

/// page.html: the chart without a trace, which goes where it says @TRACE@.
std::string_view trace_page_html();

} // namespace qnfv

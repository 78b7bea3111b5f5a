# cmake -DFROM=file -DTO=file.cpp -DFUNCTION=name -DHEADER=header.hpp -P embed.cmake
# A text file as a function of namespace qnfv that returns it.
file(READ ${FROM} text)
file(WRITE ${TO} "#include \"${HEADER}\"\n\nnamespace qnfv {\n\nstd::string_view ${FUNCTION}() {\n  return R\"embedded(${text})embedded\";\n}\n\n} // namespace qnfv\n")

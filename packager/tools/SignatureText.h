//===- SignatureText.h - --signature and --const ----------------*- C++ -*-===//
//
// "x=*fp32, n=i32", or Triton's own positional form "*fp32:16, i32, 1024", or
// the first parameters by position and the rest by name.
//
//===----------------------------------------------------------------------===//

#ifndef NEREID_PACKAGER_TOOLS_SIGNATURETEXT_H
#define NEREID_PACKAGER_TOOLS_SIGNATURETEXT_H

#include "packager/Manifest.h"

namespace nereid::tool {

/// A Python literal as a constant; kind Other when it is an expression.
pack::ManifestConstant pythonConstant(std::string name, std::string_view text);

/// Reads a --signature against the kernel's parameter names, in order. Errors
/// have the file "--signature" and columns in `text`.
bool parseSignatureText(std::string_view text,
                        const std::vector<std::string> &parameters,
                        std::vector<pack::ManifestParam> &out,
                        std::vector<pack::Diagnostic> &errors);

/// Makes the signature that Triton's JIT would find for sample arguments, given
/// as "a=fp16[4096,4096]" (a contiguous array, aligned), "n=4096", "eps=1e-5",
/// "flag=True" or "bias=None": 1 becomes a constant, what 16 divides gets the
/// hint. Strides follow from the arrays: parameters called stride_a*, a_stride*
/// or stride_a_* belong to the dimensions of `a` or `a_ptr`, in order. Those
/// that nothing speaks of are left out.
bool parseLike(const std::vector<std::string> &samples,
               const std::vector<std::string> &parameters,
               std::vector<pack::ManifestParam> &out,
               std::vector<pack::Diagnostic> &errors);

/// A signature as --signature takes it.
std::string signatureText(const std::vector<pack::ManifestParam> &signature);

/// Splits at `separator` outside brackets and quotes; the pieces keep their
/// offsets in `text`.
std::vector<std::pair<size_t, std::string_view>>
splitOutside(std::string_view text, char separator);

/// Without blanks at both ends.
std::string_view trim(std::string_view text);

} // namespace nereid::tool

#endif // NEREID_PACKAGER_TOOLS_SIGNATURETEXT_H

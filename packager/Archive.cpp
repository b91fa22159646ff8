//===- Archive.cpp - Relations inside a pack ------------------------------===//

#include "packager/Archive.h"

#include "nereid/archive_limits.h"
#include "packager/SignatureType.h"
#include "packager/Sort.h"
#include "packager/Suggest.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace nereid::pack {

Result<Param> makeParam(std::string name, std::string_view typeText) {
  Result<SignatureType> type = parseSignatureType(typeText);
  if (!type)
    return Status::error("parameter '", name, "': ", type.message());
  Param param;
  param.name = std::move(name);
  param.type = type->text;
  switch (type->kind) {
  case SignatureType::Kind::Pointer:
    param.kind = Param::Kind::Pointer;
    break;
  case SignatureType::Kind::Integer:
    param.kind = Param::Kind::Integer;
    break;
  case SignatureType::Kind::Float:
    param.kind = Param::Kind::Float;
    break;
  case SignatureType::Kind::Descriptor:
    param.kind = Param::Kind::Descriptor;
    param.rank = static_cast<uint8_t>(type->block.size());
    break;
  }
  param.bits = static_cast<uint16_t>(type->scalar->bits);
  param.isSigned = type->scalar->isSigned;
  param.isConst = type->isConst;
  return param;
}

std::vector<std::string> Pack::targets() const {
  std::set<std::string> all;
  for (const Kernel &kernel : kernels)
    for (const Variant &variant : kernel.variants)
      all.insert(variant.target);
  return {all.begin(), all.end()};
}

const Kernel *Pack::find(std::string_view name) const {
  for (const Kernel &kernel : kernels)
    if (kernel.name == name)
      return &kernel;
  return nullptr;
}

void sortVariants(Kernel &kernel) {
  sortStably(kernel.variants, [](const Variant &a, const Variant &b) {
    if (a.target != b.target)
      return a.target < b.target;
    if (a.config != b.config)
      return a.config < b.config;
    return a.demands() > b.demands();
  });
}

namespace {

struct Count {
  const char *what;
  uint64_t count, limit;
};

Status checkCounts(std::initializer_list<Count> counts) {
  for (const Count &one : counts)
    if (one.count > one.limit)
      return Status::error("it has ", one.count, " ", one.what, "; at most ",
                           one.limit, " are allowed");
  return {};
}

// Each check returns the first relation that does not hold; the caller says
// where it was.
Status checkParam(const Param &param) {
  if (param.name.empty())
    return Status::error("a parameter has no name");
  Result<Param> derived = makeParam(param.name, param.type);
  if (!derived)
    return derived.status();
  if (derived->kind != param.kind || derived->bits != param.bits ||
      derived->isSigned != param.isSigned ||
      derived->isConst != param.isConst || derived->rank != param.rank)
    return Status::error("parameter '", param.name,
                         "': its fields do not "
                         "agree with its type '",
                         param.type, "'");
  if (param.hasConstant && param.kind != Param::Kind::Integer &&
      param.kind != Param::Kind::Float)
    return Status::error("parameter '", param.name,
                         "': only an integer or a "
                         "float can be a constant, not '",
                         param.type, "'");
  return {};
}

Status checkPredicate(const Kernel &kernel, const Predicate &predicate) {
  if (predicate.slot >= kernel.params.size())
    return Status::error("a predicate asks for slot ", predicate.slot, " of ",
                         kernel.params.size());
  const Param &param = kernel.params[predicate.slot];
  bool integer = param.kind == Param::Kind::Integer;
  switch (predicate.kind) {
  case Predicate::Kind::DivisibleBy:
    if (!integer && param.kind != Param::Kind::Pointer &&
        param.kind != Param::Kind::Descriptor)
      return Status::error("predicate divisible_by on '", param.name, "' (",
                           param.type, ") needs a pointer or an integer");
    if (predicate.value <= 0 || (predicate.value & (predicate.value - 1)))
      return Status::error("predicate divisible_by on '", param.name,
                           "' has the divisor ", predicate.value,
                           "; it must be a power of two");
    return {};
  case Predicate::Kind::Equals:
  case Predicate::Kind::Below:
    if (!integer)
      return Status::error("a predicate on the value of '", param.name, "' (",
                           param.type, ") needs an integer");
    return {};
  }
  return Status::error("a predicate has the unknown kind ",
                       unsigned(predicate.kind));
}

Status checkField(const Kernel &kernel, const Variant &variant,
                  const Field &field) {
  uint32_t size = 0, alignment = 0;
  if (field.kind != Field::Kind::Scratch && field.slot >= kernel.params.size())
    return Status::error("a field of the parameter block holds slot ",
                         field.slot, " of ", kernel.params.size());
  const Param *param =
      field.kind == Field::Kind::Scratch ? nullptr : &kernel.params[field.slot];
  switch (field.kind) {
  case Field::Kind::Value:
    size = param->kind == Param::Kind::Pointer ||
                   param->kind == Param::Kind::Descriptor
               ? 8
               : std::max(1, param->bits / 8);
    if (param->hasConstant)
      return Status::error("'", param->name,
                           "' is a constant, yet it has a "
                           "field in the parameter block");
    break;
  case Field::Kind::Shape:
  case Field::Kind::Stride:
    size = field.kind == Field::Kind::Shape ? 4 : 8;
    if (field.index >= param->rank)
      return Status::error("a field holds dimension ", field.index, " of '",
                           param->name, "', which has ", unsigned(param->rank));
    break;
  case Field::Kind::TensorMap:
    size = 128;
    alignment = 64;
    if (field.index >= variant.tensorMaps.size())
      return Status::error("a field holds tensor map ", field.index, " of ",
                           variant.tensorMaps.size());
    if (variant.tensorMaps[field.index].slot != field.slot)
      return Status::error("a field's tensor map is made for slot ",
                           variant.tensorMaps[field.index].slot, ", not ",
                           field.slot);
    break;
  case Field::Kind::Scratch:
    size = 8;
    break;
  default:
    return Status::error("a field has the unknown kind ", unsigned(field.kind));
  }
  if (!alignment)
    alignment = size;
  if (field.size != size)
    return Status::error("a field ",
                         param ? "for '" + param->name + "' " : std::string(),
                         "has ", field.size, " bytes; it needs ", size);
  if (field.offset % alignment)
    return Status::error("a field at ", field.offset, " must be aligned to ",
                         alignment);
  if (field.offset > variant.paramSize ||
      field.size > variant.paramSize - field.offset)
    return Status::error("a field at ", field.offset, " with ", field.size,
                         " bytes leaves the parameter block of ",
                         variant.paramSize);
  return {};
}

// What checkGridProgram asks of slots.
std::vector<int> slotRanks(const Kernel &kernel) {
  std::vector<int> ranks;
  for (const Param &param : kernel.params)
    ranks.push_back(param.kind == Param::Kind::Integer      ? 0
                    : param.kind == Param::Kind::Descriptor ? param.rank
                                                            : -1);
  return ranks;
}

// A map of an array behind a pointer says by programs what a descriptor knows.
Status checkMapPrograms(const Kernel &kernel, const TensorMap &map) {
  if (map.box.empty() || map.box.size() > NRD_MAX_TENSOR_MAP_RANK)
    return Status::error("a tensor map's box has ", map.box.size(),
                         " dimensions; allowed: 1 to ",
                         NRD_MAX_TENSOR_MAP_RANK);
  if (map.shape.size() != map.box.size() ||
      map.strides.size() != map.box.size())
    return Status::error("a tensor map has ", map.shape.size(), " extents and ",
                         map.strides.size(), " strides for a box of ",
                         map.box.size(), " dimensions");
  std::vector<int> ranks = slotRanks(kernel);
  for (const std::vector<GridAxis> *programs : {&map.shape, &map.strides})
    for (const GridAxis &program : *programs)
      if (Status status = checkGridProgram(program.steps, ranks); !status)
        return status.within("a tensor map's '" + program.text + "'");
  return {};
}

Status checkTensorMap(const Kernel &kernel, const TensorMap &map) {
  bool hasPrograms = !map.shape.empty() || !map.strides.empty();
  Param::Kind kind =
      hasPrograms ? Param::Kind::Pointer : Param::Kind::Descriptor;
  if (map.slot >= kernel.params.size() || kernel.params[map.slot].kind != kind)
    return Status::error("a tensor map is made for slot ", map.slot,
                         ", which is no ",
                         hasPrograms ? "pointer" : "tensor descriptor");
  if (hasPrograms) {
    if (Status status = checkMapPrograms(kernel, map); !status)
      return status;
  } else if (map.box.size() != kernel.params[map.slot].rank)
    return Status::error("a tensor map's box has ", map.box.size(),
                         " dimensions, its descriptor ",
                         unsigned(kernel.params[map.slot].rank));
  for (uint32_t size : map.box)
    if (size == 0 || size > NRD_MAX_TENSOR_MAP_BOX)
      return Status::error("a tensor map's box has the size ", size,
                           "; allowed: 1 to ", NRD_MAX_TENSOR_MAP_BOX);
  for (const auto &[what, value, count] :
       {std::tuple("element type", map.elementType, NRD_TENSOR_MAP_TYPES),
        {"interleave", map.interleave, NRD_TENSOR_MAP_INTERLEAVES},
        {"swizzle", map.swizzle, NRD_TENSOR_MAP_SWIZZLES},
        {"L2 promotion", map.l2Promotion, NRD_TENSOR_MAP_PROMOTIONS},
        {"fill", map.oobFill, NRD_TENSOR_MAP_FILLS}})
    if (value >= count)
      return Status::error("a tensor map has the ", what, " ", unsigned(value),
                           "; known: 0 to ", count - 1);
  return {};
}

Status checkDims(const std::vector<uint32_t> &dims, const char *what,
                 uint64_t limit) {
  if (dims.size() > 3)
    return Status::error(what, " has ", dims.size(), " dimensions, at most 3");
  uint64_t product = 1;
  for (uint32_t dim : dims) {
    product *= dim;
    if (dim == 0 || dim > limit || product > limit)
      return Status::error(what, " must have 1 to ", limit, " in all");
  }
  return {};
}

Status checkVariant(const Kernel &kernel, const Variant &variant) {
  if (variant.target.empty())
    return Status::error("it has no target");
  if (variant.symbol.empty())
    return Status::error("it has no entry point");
  if (!variant.image || variant.image->empty())
    return Status::error("it has no image");
  if (variant.config >= kernel.configs.size())
    return Status::error("it uses config ", variant.config, " of ",
                         kernel.configs.size());
  // CUDA's and HIP's own limits on a launch.
  if (Status status = checkDims(variant.block, "the block", NRD_MAX_BLOCK);
      !status)
    return status;
  if (Status status = checkDims(variant.cluster, "the cluster", 16); !status)
    return status;
  if (variant.scratchAlign == 0 ||
      variant.scratchAlign > NRD_MAX_SCRATCH_ALIGN ||
      (variant.scratchAlign & (variant.scratchAlign - 1)))
    return Status::error("its scratch alignment is ", variant.scratchAlign,
                         "; it must be a power of two up to ",
                         NRD_MAX_SCRATCH_ALIGN);
  if (variant.paramSize > NRD_MAX_PARAM_SIZE)
    return Status::error("its parameter block has ", variant.paramSize,
                         " bytes; at most ", NRD_MAX_PARAM_SIZE,
                         " are allowed");
  if (variant.scratchSize > NRD_MAX_SCRATCH)
    return Status::error("it asks for ", variant.scratchSize,
                         " bytes of scratch; at most ", NRD_MAX_SCRATCH,
                         " are allowed");
  if (Status status = checkCounts(
          {{"predicates", variant.predicates.size(), NRD_MAX_PREDICATES},
           {"fields", variant.fields.size(), NRD_MAX_FIELDS},
           {"tensor maps", variant.tensorMaps.size(), NRD_MAX_TENSOR_MAPS}});
      !status)
    return status;
  for (const Predicate &predicate : variant.predicates)
    if (Status status = checkPredicate(kernel, predicate); !status)
      return status;
  for (const TensorMap &map : variant.tensorMaps)
    if (Status status = checkTensorMap(kernel, map); !status)
      return status;
  std::vector<std::pair<uint32_t, uint32_t>> spans;
  for (const Field &field : variant.fields) {
    if (Status status = checkField(kernel, variant, field); !status)
      return status;
    spans.emplace_back(field.offset, field.offset + field.size);
  }
  std::sort(spans.begin(), spans.end());
  for (size_t i = 1; i < spans.size(); ++i)
    if (spans[i].first < spans[i - 1].second)
      return Status::error("two fields overlap at ", spans[i].first,
                           " of the parameter block");
  return {};
}

Status checkTuning(const Kernel &kernel, const TuningTable &table,
                   const std::vector<int> &ranks) {
  if (Status status =
          checkCounts({{"keys", table.keys.size(), NRD_MAX_TUNING_KEYS},
                       {"rows", table.rows.size(), NRD_MAX_TUNING_ROWS}});
      !status)
    return status;
  for (const GridAxis &key : table.keys)
    if (Status status = checkGridProgram(key.steps, ranks); !status)
      return status.within("key '" + key.text + "'");
  for (const TuningRow &row : table.rows) {
    if (row.upper.size() != table.keys.size())
      return Status::error("a row has ", row.upper.size(), " bounds for ",
                           table.keys.size(), " keys");
    bool served = std::any_of(kernel.variants.begin(), kernel.variants.end(),
                              [&](const Variant &variant) {
                                return variant.target == table.target &&
                                       variant.config == row.config;
                              });
    if (row.config >= kernel.configs.size() || !served)
      return Status::error("a row chooses config ", row.config,
                           ", which no variant of ", table.target, " has");
  }
  return {};
}

} // namespace

Status checkKernel(const Kernel &kernel, const CheckOptions &options) {
  std::string where = "kernel '" + kernel.name + "'";
  if (kernel.name.empty())
    return Status::error("a kernel has no name");
  if (Status status = checkCounts(
          {{"parameters", kernel.params.size(), NRD_MAX_SLOTS},
           {"configs", kernel.configs.size(), NRD_MAX_CONFIGS},
           {"variants", kernel.variants.size(), NRD_MAX_VARIANTS},
           {"tuning tables", kernel.tuning.size(), NRD_MAX_TUNING_TABLES}});
      !status)
    return status.within(where);
  std::vector<int> ranks = slotRanks(kernel);
  std::set<std::string> names;
  for (const Param &param : kernel.params) {
    if (Status status = checkParam(param); !status)
      return status.within(where);
    if (!names.insert(param.name).second)
      return Status::error(where, ": two parameters are called '", param.name,
                           "'");
  }
  for (size_t i = 0; i < kernel.configs.size(); ++i) {
    const Config &config = kernel.configs[i];
    if (config.grid.size() > 3)
      return Status::error(where, ", config ", i, ": the grid has ",
                           config.grid.size(), " axes, at most 3");
    for (const GridAxis &axis : config.grid)
      if (Status status = checkGridProgram(axis.steps, ranks); !status)
        return status.within(
            concat(where, ", config ", i, ", grid '", axis.text, "'"));
  }
  if (kernel.variants.empty())
    return Status::error(where, " has no variant for any target");
  std::set<std::string> claimed, total;
  for (size_t i = 0; i < kernel.variants.size(); ++i) {
    const Variant &variant = kernel.variants[i];
    if (Status status = checkVariant(kernel, variant); !status)
      return status.within(
          concat(where, ", variant ", i, " (", variant.target, ")"));
    claimed.insert(variant.target);
    if (!variant.demands())
      total.insert(variant.target);
  }
  for (size_t i = 0; i < kernel.tuning.size(); ++i)
    if (Status status = checkTuning(kernel, kernel.tuning[i], ranks); !status)
      return status.within(concat(where, ", tuning table ", i, " (",
                                  kernel.tuning[i].target, ")"));
  if (options.requireFallback)
    for (const std::string &target : claimed)
      if (!total.count(target))
        return Status::error(
            where, " has no total fallback for ", target,
            ": each of its variants there needs something of the arguments; "
            "build the 'generic' variant too");
  return {};
}

} // namespace nereid::pack

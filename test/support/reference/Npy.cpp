// SPDX-License-Identifier: Apache-2.0
// Reading and writing .npy; see Npy.h.
#include "test/support/reference/Npy.h"

#include <cstring>
#include <fstream>
#include <iterator>

using namespace gemmac::reference;

namespace {

const std::string kMagic("\x93NUMPY\x01\x00", 8);
constexpr size_t kPrefix = 10;  // magic, version, u16 of the header's length
constexpr size_t kAlignment = 64;

// The numbers between the parentheses after 'shape'.
std::vector<int64_t> parseShape(const std::string &header) {
  std::vector<int64_t> shape;
  size_t at = header.find('(', header.find("'shape'"));
  size_t end = header.find(')', at);
  while (at != std::string::npos && ++at < end) {
    size_t used = header.find(',', at);
    std::string number = header.substr(at, std::min(used, end) - at);
    if (number.find_first_of("0123456789") != std::string::npos)
      shape.push_back(std::stoll(number));
    at = used;
  }
  return shape;
}

}  // namespace

std::optional<Tensor> gemmac::reference::readNpy(const std::string &path,
                                                 std::string &error) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (bytes.compare(0, kMagic.size(), kMagic) || bytes.size() < kPrefix) {
    error = path + ": expected a .npy file of version 1.0";
    return std::nullopt;
  }
  size_t headerBytes = uint8_t(bytes[8]) | uint8_t(bytes[9]) << 8;
  std::string header = bytes.substr(kPrefix, headerBytes);
  if (header.find("'<f4'") == std::string::npos ||
      header.find("'fortran_order': False") == std::string::npos) {
    error = path + ": expected float32 in C order, found " + header;
    return std::nullopt;
  }
  Tensor tensor(parseShape(header));
  size_t expected = tensor.values.size() * sizeof(float);
  size_t found = bytes.size() - std::min(bytes.size(), kPrefix + headerBytes);
  if (found != expected) {
    error = path + ": expected " + std::to_string(expected) +
            " bytes of values, found " + std::to_string(found);
    return std::nullopt;
  }
  // An empty tensor has no address that memcpy may take.
  if (expected)
    std::memcpy(tensor.values.data(), bytes.data() + kPrefix + headerBytes,
                expected);
  return tensor;
}

bool gemmac::reference::writeNpy(const std::string &path,
                                 const Tensor &tensor) {
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
  for (int64_t size : tensor.shape) header += std::to_string(size) + ", ";
  header += "), }";
  size_t used = kPrefix + header.size() + 1;
  header.append((kAlignment - used % kAlignment) % kAlignment, ' ');
  header += '\n';
  std::ofstream file(path, std::ios::binary);
  file << kMagic << char(header.size() & 255) << char(header.size() >> 8)
       << header;
  file.write(reinterpret_cast<const char *>(tensor.values.data()),
             tensor.values.size() * sizeof(float));
  file.close();
  return bool(file);
}

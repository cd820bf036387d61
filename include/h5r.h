/*
 * h5r: HDF5 files that survive crashes, keep their indexes tight, and shrink when you delete.
 *
 * This file is generated from src/ffi. Rules that hold for every call:
 *
 * - A call that can fail returns an h5r_status: H5R_OK, or a negative H5R_ERR_... . h5r_last_error() then says, for
 *   this thread, what was wrong and what is accepted. Outputs are written only on success.
 * - Handles are never dereferenced: a NULL, closed or foreign one gives H5R_ERR_BAD_HANDLE. A close consumes its
 *   handle; closing NULL does nothing. Closing a file closes everything that was opened from it.
 * - Any handle may be used from any thread. Calls on different files never wait for each other.
 * - Strings are UTF-8, end with NUL, and are copied. What h5r made is closed, never freed.
 * - Options begin with their size: start from their H5R_..._INIT macro. NULL means all defaults.
 * - Callbacks take user_data last and are called without any lock held. What a callback may not call returns
 *   H5R_ERR_REENTRANT.
 */

#ifndef H5R_H
#define H5R_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define H5R_KIB ((uint64_t)1 << 10)
#define H5R_MIB ((uint64_t)1 << 20)
#define H5R_GIB ((uint64_t)1 << 30)

// All defaults: h5r_lazy_options options = H5R_LAZY_OPTIONS_INIT;

#define H5R_STORAGE_INIT {8, 6, H5R_CREATION_ORDER_NONE}
#define H5R_CREATE_OPTIONS_INIT \
    {sizeof(h5r_create_options), 64 * H5R_MIB, 0, H5R_FORMAT_V110, \
     H5R_LOCKING_ENVIRONMENT, H5R_DURABILITY_PROCESS, H5R_STORAGE_INIT, H5R_STORAGE_INIT, 0, 0, H5R_IO_STANDARD, 0}
#define H5R_OPEN_OPTIONS_INIT \
    {sizeof(h5r_open_options), 64 * H5R_MIB, 0, H5R_LOCKING_ENVIRONMENT, H5R_DURABILITY_PROCESS, 0, 0, 0, H5R_IO_STANDARD, 0}
#define H5R_CHECK_OPTIONS_INIT {sizeof(h5r_check_options), 0, H5R_LOCKING_ENVIRONMENT, 1000}
#define H5R_GROUP_OPTIONS_INIT {sizeof(h5r_group_options), H5R_STORAGE_INIT, H5R_STORAGE_INIT}
#define H5R_COPY_OPTIONS_INIT {sizeof(h5r_copy_options), 0, 0, 0, 0}
#define H5R_DATASET_OPTIONS_INIT \
    {sizeof(h5r_dataset_options), NULL, NULL, NULL, 0, H5R_LAYOUT_CONTIGUOUS, H5R_ALLOCATION_DEFAULT, H5R_FILL_IF_SET, \
     0, H5R_STORAGE_INIT, 0, 0, 0, 0, 0, NULL, 0, 0, 0}
#define H5R_SELECTION_INIT {0, NULL, NULL, NULL, NULL}
#define H5R_LAZY_OPTIONS_INIT {sizeof(h5r_lazy_options), 0.05, 300000, 100}
#define H5R_INCREMENTAL_OPTIONS_INIT {sizeof(h5r_incremental_options), 100000, 5000, NULL, NULL}
#define H5R_SMART_OPTIONS_INIT \
    {sizeof(h5r_smart_options), 1, 1, 10 * H5R_MIB, H5R_ALLOW_ALL, 300000, 0.7, 30000, NULL, NULL}
#define H5R_TYPE_LAYOUT_INIT {sizeof(h5r_type_layout), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
#define H5R_ATTR_DETAILS_INIT {sizeof(h5r_attr_details), 0, 0, 0, 0, 0, 0, {0}}
#define H5R_LINK_DETAILS_INIT {sizeof(h5r_link_details), 0, 0, 0, 0, 0}
#define H5R_OBJECT_DETAILS_INIT {sizeof(h5r_object_details), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
#define H5R_DATASET_DETAILS_INIT {sizeof(h5r_dataset_details), 0, 0, 0, 0, 0, {0}, {0}}
#define H5R_CHUNK_DETAILS_INIT {sizeof(h5r_chunk_details), 0, 0, 0, 0, 0, {0}}
#define H5R_CHUNK_CACHE_DETAILS_INIT {sizeof(h5r_chunk_cache_details), 0, 0, 0, 0, 0, 0, 0}
#define H5R_CHECK_REPORT_INIT {sizeof(h5r_check_report), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
#define H5R_REBALANCE_STATS_INIT \
    {sizeof(h5r_rebalance_stats), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, {0}, 0}

// The largest number of dimensions the format allows.
#define H5R_MAX_RANK 32

// Ends with at least one zero byte, as C strings do.
#define H5R_PAD_NULL_TERMINATED 0

// Filled up with zero bytes; none when the string fills its size.
#define H5R_PAD_NULL 1

// Filled up with spaces, as Fortran strings are.
#define H5R_PAD_SPACE 2

// US ASCII.
#define H5R_CHARSET_ASCII 0

// Unicode in UTF-8.
#define H5R_CHARSET_UTF8 1

// Integer; the numbers of the classes are the format's.
#define H5R_CLASS_INTEGER 0

// Floating-point number.
#define H5R_CLASS_FLOAT 1

// Time.
#define H5R_CLASS_TIME 2

// String of a fixed number of bytes.
#define H5R_CLASS_STRING 3

// Bit field.
#define H5R_CLASS_BITFIELD 4

// Opaque bytes.
#define H5R_CLASS_OPAQUE 5

// Compound.
#define H5R_CLASS_COMPOUND 6

// Reference.
#define H5R_CLASS_REFERENCE 7

// Enumeration.
#define H5R_CLASS_ENUM 8

// Variable-length sequence or string.
#define H5R_CLASS_VARIABLE_LENGTH 9

// Array.
#define H5R_CLASS_ARRAY 10

// Complex number.
#define H5R_CLASS_COMPLEX 11

// Least significant byte first.
#define H5R_BYTES_LITTLE 0

// Most significant byte first.
#define H5R_BYTES_BIG 1

// Pairs of bytes as on a VAX; floats only.
#define H5R_BYTES_VAX 2

// The mantissa is not normalized.
#define H5R_NORM_NONE 0

// The mantissa's highest bit is always set, and stored.
#define H5R_NORM_STORED 1

// The mantissa's highest bit is always set, and not stored: as in IEEE 754.
#define H5R_NORM_IMPLIED 2

// An object, by its address in the file: 8 bytes in memory.
#define H5R_REF_OBJECT 0

// A part of a dataset: 12 bytes in memory.
#define H5R_REF_REGION 1

// An object, as libhdf5 1.12 and later encode it: an h5r_vlen in memory, as the two that follow.
#define H5R_REF_STANDARD_OBJECT 2

// A part of a dataset, as libhdf5 1.12 and later encode it.
#define H5R_REF_STANDARD_REGION 3

// An attribute, as libhdf5 1.12 and later encode it.
#define H5R_REF_STANDARD_ATTR 4

// The new file can be read by libhdf5 1.8 and later.
#define H5R_FORMAT_V18 0

// The new file can be read by libhdf5 1.10 and later; the default.
#define H5R_FORMAT_V110 1

// What the environment variable HDF5_USE_FILE_LOCKING says (TRUE, FALSE, BEST_EFFORT), as libhdf5 does; best effort
// where it is not set. The default.
#define H5R_LOCKING_ENVIRONMENT 0

// No advisory lock.
#define H5R_LOCKING_OFF 1

// An advisory lock, or an error.
#define H5R_LOCKING_ON 2

// A process that is killed at any instant leaves the last flushed state, or the one that was being flushed. The default.
#define H5R_DURABILITY_PROCESS 0

// The same when the power is lost: flushing waits for the device (fdatasync) between its steps.
#define H5R_DURABILITY_POWER 1

// A crash during a flush can leave a file that cannot be read, as with libhdf5. The fastest.
#define H5R_DURABILITY_NONE 2

// Creation order is not recorded; the default.
#define H5R_CREATION_ORDER_NONE 0

// Creation order is recorded.
#define H5R_CREATION_ORDER_TRACKED 1

// Creation order is recorded and indexed.
#define H5R_CREATION_ORDER_INDEXED 2

// Iterate as stored; the fastest.
#define H5R_ORDER_NATIVE 0

// Iterate by name, ascending bytes.
#define H5R_ORDER_NAME 1

// Iterate by name, descending.
#define H5R_ORDER_NAME_REVERSE 2

// Iterate by creation; an error where creation order is not recorded.
#define H5R_ORDER_CREATION 3

// Iterate by creation, the last first.
#define H5R_ORDER_CREATION_REVERSE 4

// The file is read and written by the operating system's calls; the default.
#define H5R_IO_STANDARD 0

// A file that is opened with read_only is read as memory; where it cannot be mapped, as with H5R_IO_STANDARD. A process that cuts
// the file meanwhile ends this one (SIGBUS), so this is for files that are locked, or that nobody changes.
#define H5R_IO_MMAP 1

// Transfers of 1 MiB and more of raw data go past the operating system's page cache (O_DIRECT), where the file system has that;
// all others as with H5R_IO_STANDARD.
#define H5R_IO_DIRECT 2

// Transfers that do not depend on each other, such as those of a flush and of many chunks, go through io_uring, together; all
// others, and where the kernel does not give it, as with H5R_IO_STANDARD.
#define H5R_IO_URING 3

// A group.
#define H5R_KIND_GROUP 0

// A dataset.
#define H5R_KIND_DATASET 1

// A named datatype.
#define H5R_KIND_TYPE 2

// A time that the file does not record.
#define H5R_NO_TIME UINT64_MAX

// Deflate, in zlib's format; its parameter is the level, 1 to 9.
#define H5R_FILTER_DEFLATE 1

// The bytes of elements are sorted by their weight; its parameter is the bytes of an element.
#define H5R_FILTER_SHUFFLE 2

// A checksum, which is verified by reading.
#define H5R_FILTER_FLETCHER32 3

// Szip, through libsz of libaec, which must be on the machine (Debian: libsz2). Its parameters are 4 (entropy coding) or 32
// (nearest neighbour), and an even number of values of a block up to 32; none: 32 and 8. If the filter is not optional, a write
// of data that it does not make smaller fails.
#define H5R_FILTER_SZIP 4

// Numbers without the bits that mean nothing by their type. It takes no parameters.
#define H5R_FILTER_NBIT 5

// Numbers less their least, in as few bits as they need. Its parameters are H5R_SCALE_OFFSET_INTEGER and the number of bits
// (0, or no parameters at all for integers: as few as each chunk needs), or H5R_SCALE_OFFSET_DECIMAL and the decimal digits that
// floats keep. A write of values that do not fit fails; if the filter is optional, their chunk is stored without it.
#define H5R_FILTER_SCALE_OFFSET 6

// LZF, as h5py has it.
#define H5R_FILTER_LZF 32000

// Blosc 1. Its parameters are seven, as its plugin for libhdf5 has them: four that are filled in, the level (0 to 9), the shuffle (0
// none, 1 bytes, 2 bits), and the compressor (0 BloscLZ, 1 LZ4, 2 LZ4HC, 4 zlib, 5 Zstandard); none: 5, 1 and 0.
// Written by h5r, 2 is the same as 1 (one format, which LZ4HC spends more time on), and the level counts for zlib and Zstandard; 0 stores.
#define H5R_FILTER_BLOSC 32001

// Bitshuffle. Its parameters are the elements of a block (a multiple of 8; 0: about 8 KiB), the compression (0 none, 2 LZ4,
// 3 Zstandard), and for Zstandard the level; none: 0 and 2.
#define H5R_FILTER_BITSHUFFLE 32008

// LZ4; its parameter is the bytes of a block, 0 for one block.
#define H5R_FILTER_LZ4 32004

// Zstandard; its parameter is the level.
#define H5R_FILTER_ZSTD 32015

// First parameter of H5R_FILTER_SCALE_OFFSET: the second is decimal digits of floats.
#define H5R_SCALE_OFFSET_DECIMAL 0

// First parameter of H5R_FILTER_SCALE_OFFSET: the second is bits of integers.
#define H5R_SCALE_OFFSET_INTEGER 2

// The elements are in the object header; at most 64 KiB.
#define H5R_LAYOUT_COMPACT 0

// The elements are in one piece; the default.
#define H5R_LAYOUT_CONTIGUOUS 1

// The elements are in chunks of equal shape.
#define H5R_LAYOUT_CHUNKED 2

// The elements are in other datasets.
#define H5R_LAYOUT_VIRTUAL 3

// The elements are in files of their own.
#define H5R_LAYOUT_EXTERNAL 4

// Early for compact datasets, late for contiguous ones; each chunk takes space with the first write to it. The default.
#define H5R_ALLOCATION_DEFAULT 0

// Space is taken by the first write, that of all chunks too (but where the fill value is of variable length, or a filter a callback: each
// with the first write to it).
#define H5R_ALLOCATION_LATE 1

// Space is taken when the dataset is created, and for chunks also when it grows. UNSUPPORTED for chunks with a filter that is a callback.
#define H5R_ALLOCATION_EARLY 2

// The fill value is written with the allocation when the user gave one; the default.
#define H5R_FILL_IF_SET 0

// The fill value is written with the allocation.
#define H5R_FILL_ALWAYS 1

// The fill value is never written. ARGUMENT for strings and sequences of variable length, as in libhdf5.
#define H5R_FILL_NEVER 2

// A maximum dimension without bound.
#define H5R_UNLIMITED UINT64_MAX

// No value at all.
#define H5R_SPACE_NULL 2

// One value, rank 0.
#define H5R_SPACE_SCALAR 0

// An array.
#define H5R_SPACE_SIMPLE 1

// The creation order where none is recorded.
#define H5R_NO_CREATION_ORDER UINT64_MAX

// Leads to an object of this file.
#define H5R_LINK_HARD 0

// Leads to a path of this file.
#define H5R_LINK_SOFT 1

// Leads to an object of another file.
#define H5R_LINK_EXTERNAL 2

// User-defined: kept, not followed.
#define H5R_LINK_USER 3

// No element.
#define H5R_SELECTED_NONE 0

// Every element.
#define H5R_SELECTED_ALL 1

// Elements by their coordinates.
#define H5R_SELECTED_POINTS 2

// Blocks of elements.
#define H5R_SELECTED_BLOCKS 3

// Records are removed, nothing else is moved.
#define H5R_MODE_NONE 0

// Batches are worked off inside the deleting call.
#define H5R_MODE_LAZY 1

// A background thread works in small slices.
#define H5R_MODE_INCREMENTAL 2

// The operations are watched and one of the other modes is chosen.
#define H5R_MODE_SMART 3

// Smart may choose none.
#define H5R_ALLOW_NONE 1

// Smart may choose lazy.
#define H5R_ALLOW_LAZY 2

// Smart may choose incremental.
#define H5R_ALLOW_INCREMENTAL 4

// Smart may choose any mode.
#define H5R_ALLOW_ALL 7

// The file is damaged, or has to be recovered before others can open it.
#define H5R_SEVERITY_ERROR 0

// Nothing is damaged, but space is lost or a count is too high.
#define H5R_SEVERITY_WARNING 1

// A part that could not be checked, because its structures are not handled yet.
#define H5R_SEVERITY_UNCHECKED 2

// A structure's bytes are not what the format says.
#define H5R_FINDING_STRUCTURE 0

// A checksum does not hold.
#define H5R_FINDING_CHECKSUM 1

// A structure lies, or leads, outside the file or what it belongs to.
#define H5R_FINDING_BOUND 2

// A count and what was counted differ.
#define H5R_FINDING_COUNT 3

// Parts are out of order, or two indexes of the same differ.
#define H5R_FINDING_ORDER 4

// The references to an object differ from its reference count.
#define H5R_FINDING_REFERENCES 5

// Two structures claim the same bytes, or one claims free space.
#define H5R_FINDING_OVERLAP 6

// A B-tree node has fewer records than libhdf5 needs to go on deleting.
#define H5R_FINDING_FLOOR 7

// Bytes that nothing uses and no free-space manager lists.
#define H5R_FINDING_LEAK 8

// The consistency flag says that the file is open for writing.
#define H5R_FINDING_FLAG 9

// A flush was interrupted and is not recovered from yet.
#define H5R_FINDING_INTERRUPTED 10

// A structure that is not handled yet.
#define H5R_FINDING_UNSUPPORTED 11

// No flush was interrupted.
#define H5R_INTERRUPTED_NONE 0

// A flush was interrupted after it was decided on: its redo record was applied, in memory or, to recover, to the file.
#define H5R_INTERRUPTED_APPLIED 1

// A flush was interrupted before it was decided on: the file has its last flushed state.
#define H5R_INTERRUPTED_DISCARDED 2

// The address of a finding that has none.
#define H5R_NO_ADDRESS UINT64_MAX

// An open file. Any thread may use it; calls on different files never wait for each other.
typedef struct h5r_file h5r_file;

// An open group, dataset or named type. Any thread may use it; it is closed with its file at the latest.
typedef struct h5r_object h5r_object;

// What a call returns: `H5R_OK` (0), or a negative code. Codes are never renumbered.
typedef int32_t h5r_status;

// A datatype: one of the constants H5R_I8 and so on, or a token from an h5r_type_... call. 0 is no type.
typedef uint64_t h5r_type;

// The bits of an integer, bit field or float. Start from H5R_TYPE_LAYOUT_INIT.
typedef struct h5r_type_layout {
    // sizeof(h5r_type_layout), set by the INIT macro.
    size_t struct_size;
    // Bytes of an element.
    uint32_t size;
    // H5R_BYTES_LITTLE, _BIG or (floats) _VAX.
    int32_t order;
    // The first bit of the value, counted from the least significant one.
    uint32_t offset;
    // The number of bits of the value.
    uint32_t precision;
    // 1: the bits below the value are set; 0: they are clear.
    int32_t low_pad;
    // 1: the bits above the value are set; 0: they are clear.
    int32_t high_pad;
    // Integers. 1: two's complement; 0: unsigned.
    int32_t is_signed;
    // Floats. 1: unused bits between the fields are set; 0: they are clear.
    int32_t internal_pad;
    // Floats. H5R_NORM_....
    int32_t normalization;
    // Floats. The bit that is the sign.
    uint32_t sign_position;
    // Floats. The first bit of the exponent.
    uint32_t exponent_position;
    // Floats. The number of its bits.
    uint32_t exponent_size;
    // Floats. The first bit of the mantissa.
    uint32_t mantissa_position;
    // Floats. The number of its bits.
    uint32_t mantissa_size;
    // Floats. What is added to the exponent.
    uint32_t exponent_bias;
    // 0.
    uint32_t reserved;
} h5r_type_layout;

// How an object's attributes, or a group's links, are stored.
typedef struct h5r_storage {
    // The most that are kept in the object header; one more makes them dense. 0 to 65535, default 8.
    uint32_t max_compact;
    // Fewer than this, and rebalancing brings them back into the object header (closing in other modes than none, and
    // h5r_rebalance: max_compact of them or fewer). 0 to max_compact, default 6.
    uint32_t min_dense;
    // H5R_CREATION_ORDER_NONE, _TRACKED or _INDEXED.
    int32_t creation_order;
} h5r_storage;

// Options of h5r_create. Start from H5R_CREATE_OPTIONS_INIT.
typedef struct h5r_create_options {
    // sizeof(h5r_create_options), set by the INIT macro.
    size_t struct_size;
    // Bytes of unchanged metadata kept in memory; default 64 MiB.
    uint64_t cache_bytes;
    // 1: fail with H5R_ERR_EXISTS when the file exists. 0, the default: replace it.
    int32_t exclusive;
    // H5R_FORMAT_V110 (default) or H5R_FORMAT_V18.
    int32_t format;
    // H5R_LOCKING_ENVIRONMENT (default), _OFF or _ON.
    int32_t locking;
    // What a flush survives: H5R_DURABILITY_PROCESS (default), _POWER or _NONE.
    int32_t durability;
    // How the root group's links are stored.
    h5r_storage links;
    // How the root group's attributes are stored.
    h5r_storage attributes;
    // Threads that work on the chunks of one call, the calling one among them, at most 1024; 1: no others, 0, the default:
    // as many as this process has processors. They end with the call.
    uint32_t threads;
    // 0; for later use.
    int32_t reserved;
    // H5R_IO_STANDARD (default), _DIRECT or _URING.
    int32_t io;
    // 0; for later use.
    int32_t reserved_2;
} h5r_create_options;

// Options of h5r_open. Start from H5R_OPEN_OPTIONS_INIT.
typedef struct h5r_open_options {
    // sizeof(h5r_open_options), set by the INIT macro.
    size_t struct_size;
    // Bytes of unchanged metadata kept in memory; default 64 MiB.
    uint64_t cache_bytes;
    // 1: refuse every change. 0, the default: open for reading and writing.
    int32_t read_only;
    // H5R_LOCKING_ENVIRONMENT (default), _OFF or _ON.
    int32_t locking;
    // What a flush survives: H5R_DURABILITY_PROCESS (default), _POWER or _NONE.
    int32_t durability;
    // 0; for later use.
    int32_t reserved;
    // Threads that work on the chunks of one call, the calling one among them, at most 1024; 1: no others, 0, the default:
    // as many as this process has processors. They end with the call.
    uint32_t threads;
    // 0; for later use.
    int32_t reserved_2;
    // H5R_IO_STANDARD (default), _MMAP (with read_only), _DIRECT or _URING.
    int32_t io;
    // 0; for later use.
    int32_t reserved_3;
} h5r_open_options;

// Told how far a long call with raw data is: bytes of elements in memory that are done, and all of the call. 0 goes on, any
// other value ends the call with H5R_ERR_CALLBACK.
typedef int32_t (*h5r_transfer_progress)(uint64_t bytes_done, uint64_t bytes_total, void *user_data);

// Options of h5r_group_create. Start from H5R_GROUP_OPTIONS_INIT.
typedef struct h5r_group_options {
    // sizeof(h5r_group_options), set by the INIT macro.
    size_t struct_size;
    // How the group's links are stored.
    h5r_storage links;
    // How the group's attributes are stored.
    h5r_storage attributes;
} h5r_group_options;

// What h5r_object_info says of an object. Start from H5R_OBJECT_DETAILS_INIT.
typedef struct h5r_object_details {
    // sizeof(h5r_object_details), set by the INIT macro.
    size_t struct_size;
    // Where its header is; two links lead to the same object when this is the same. Rebalancing and closing may move it.
    uint64_t address;
    // Hard links to it; for a named type also the data that share it.
    uint64_t references;
    // Its attributes.
    uint64_t attribute_count;
    // Its links; 0 where it is no group.
    uint64_t link_count;
    // The last access to its raw data, in seconds since 1970, or H5R_NO_TIME.
    uint64_t access_time;
    // The last change of its raw data, likewise.
    uint64_t modification_time;
    // The last change of its header, likewise.
    uint64_t change_time;
    // Its creation, likewise.
    uint64_t birth_time;
    // Bytes of its header.
    uint64_t header_bytes;
    // Bytes of the B-trees and chunk indexes that find its attributes, links and chunks.
    uint64_t index_bytes;
    // Bytes of the heaps of its attributes and links. Global heaps, which objects share, are not counted.
    uint64_t heap_bytes;
    // Bytes of its raw data in this file, after filters.
    uint64_t raw_bytes;
    // H5R_KIND_GROUP, _DATASET or _TYPE.
    int32_t kind;
    // 0; for later use.
    int32_t reserved;
} h5r_object_details;

// Called for each object; `path` is relative to where the visit began, "." for that itself, and valid during the call
// only; `kind` is H5R_KIND_GROUP, _DATASET or _TYPE. Returns 0 to go on, positive to stop, negative to fail.
typedef int32_t (*h5r_object_path_visit)(const char *path, int32_t kind, void *user_data);

// Encodes or decodes the length bytes at data: writes the result to out, at most capacity bytes of it, and its length to
// *length_out. Where the length is above capacity, what was written does not count: the call comes again with as much room
// when it encodes, and fails when it decodes, because capacity is then what the data can become. Returns 0, or another
// value if it cannot: encoding, an optional filter is then skipped for this chunk; else the call fails with
// H5R_ERR_CALLBACK. It comes from any of the threads that a call may use, and from several at once. All calls of h5r that may
// fail return H5R_ERR_REENTRANT in it. Reading, writing, appending and new dimensions call it without any lock. With the file
// locked (as libhdf5 calls every filter), so that it must not wait for another thread's call on that file, it comes from creating a
// dataset whose chunks are allocated early; from copying a dataset whose values lie elsewhere (of variable length, or references to
// another file) or whose edge chunks the copy has to filter, with both files locked; and from deleting one whose values lie
// elsewhere: where it fails then, the dataset is deleted, and what such values take stays in the file.
typedef int32_t (*h5r_filter_callback)(const uint32_t *parameters,
                                       size_t parameter_count,
                                       const void *data,
                                       size_t length,
                                       void *out,
                                       size_t capacity,
                                       size_t *length_out,
                                       void *user_data);

// Options of h5r_object_copy. Start from H5R_COPY_OPTIONS_INIT.
typedef struct h5r_copy_options {
    // sizeof(h5r_copy_options), set by the INIT macro.
    size_t struct_size;
    // 1: of a group only its own links are copied; groups that they lead to are empty in the copy. 0, the default: all
    // below it.
    int32_t shallow;
    // 1: attributes are left out. 0, the default: they are copied.
    int32_t without_attributes;
    // 1: what soft links of copied groups lead to is copied, and linked in their place; those that lead nowhere stay. 0,
    // the default: soft links are copied as they are.
    int32_t expand_soft_links;
    // 0; for later use.
    int32_t reserved;
} h5r_copy_options;

// A filter of a new dataset.
typedef struct h5r_filter {
    // Its registered number, H5R_FILTER_... .
    uint32_t id;
    // 1: a chunk that it cannot keep is stored without it; 0: writing such a chunk fails.
    uint32_t optional;
    // Its parameters; NULL: what it needs is filled in.
    const uint32_t *parameters;
    // How many parameters there are.
    size_t parameter_count;
} h5r_filter;

// Options of h5r_dataset_create. Start from H5R_DATASET_OPTIONS_INIT.
typedef struct h5r_dataset_options {
    // sizeof(h5r_dataset_options), set by the INIT macro.
    size_t struct_size;
    // As many as the rank, H5R_UNLIMITED for no bound; NULL, the default: the dimensions themselves.
    const uint64_t *max_dims;
    // With H5R_LAYOUT_CHUNKED: the extents of a chunk, as many as the rank.
    const uint64_t *chunk;
    // One element that stands where nothing was written, with what pointers in it lead to; NULL, the default: zeros.
    const void *fill_value;
    // The type of fill_value; 0, the default: the dataset's own.
    h5r_type fill_type;
    // H5R_LAYOUT_CONTIGUOUS (default), _COMPACT or _CHUNKED.
    int32_t layout;
    // H5R_ALLOCATION_DEFAULT (default), _LATE or _EARLY.
    int32_t allocation;
    // H5R_FILL_IF_SET (default), _ALWAYS or _NEVER.
    int32_t fill_time;
    // 1: a dataset without any elements (null dataspace); the rank is 0. 0, the default: one with elements.
    int32_t is_null;
    // How the dataset's attributes are stored.
    h5r_storage attributes;
    // 0; for later use.
    int32_t reserved;
    // With H5R_LAYOUT_CHUNKED: chunks are compressed at this level, 1 to 9; 0, the default: not compressed.
    int32_t deflate;
    // 1: the bytes of a chunk's elements are shuffled, so that it compresses better; 0, the default: they are not.
    int32_t shuffle;
    // 1: chunks carry a checksum, which is verified when they are read; 0, the default: they do not.
    int32_t fletcher32;
    // 0; for later use.
    int32_t reserved_2;
    // With H5R_LAYOUT_CHUNKED, and instead of deflate, shuffle and fletcher32: filter_count filters in the order in which they
    // are applied; NULL, the default: none.
    const h5r_filter *filters;
    // How many filters there are, at most 32.
    size_t filter_count;
    // 1: a chunk that a sample shows to be incompressible is stored without its optional filters (deflate and shuffle above are
    // optional), which its filter mask says; it is then read and written as fast as one without filters. It holds while the
    // dataset is open: the file does not say it. Libhdf5 (2.0.0) forgets to change the mask when it overwrites a chunk with as
    // many bytes: not for files that it will change. 0, the default: every chunk goes through all filters.
    int32_t skip_incompressible;
    // 0; for later use.
    int32_t reserved_3;
} h5r_dataset_options;

// Which elements of a dataset a call means: count blocks of block elements each, stride apart, from start, in each
// dimension. A NULL array means the obvious: start at 0, blocks of 1, blocks side by side, as many as fit.
typedef struct h5r_selection {
    // The dataset's rank; the length of each array.
    size_t rank;
    // The first element.
    const uint64_t *start;
    // From the start of one block to the start of the next.
    const uint64_t *stride;
    // How many blocks.
    const uint64_t *count;
    // The extents of a block.
    const uint64_t *block;
} h5r_selection;

// What h5r_dataset_info says of a dataset. Start from H5R_DATASET_DETAILS_INIT.
typedef struct h5r_dataset_details {
    // sizeof(h5r_dataset_details), set by the INIT macro.
    size_t struct_size;
    // The datatype in the file; h5r_type_close closes it (a predefined one need not be).
    h5r_type type;
    // Bytes that the elements take in the file now.
    uint64_t storage_size;
    // Number of dimensions; 0 for a scalar and for no value.
    uint64_t rank;
    // H5R_LAYOUT_....
    int32_t layout;
    // H5R_SPACE_NULL, _SCALAR or _SIMPLE.
    int32_t space;
    // The extents, rank of them.
    uint64_t dims[H5R_MAX_RANK];
    // The largest extents, H5R_UNLIMITED for no bound.
    uint64_t max_dims[H5R_MAX_RANK];
} h5r_dataset_details;

// What h5r_chunk_info and h5r_chunk_iterate say of a chunk. Start from H5R_CHUNK_DETAILS_INIT.
typedef struct h5r_chunk_details {
    // sizeof(h5r_chunk_details), set by the INIT macro.
    size_t struct_size;
    // Where the chunk is, from the file's first byte that is HDF5's (behind a user block).
    uint64_t address;
    // Its bytes in the file.
    uint64_t size;
    // Number of dimensions.
    uint64_t rank;
    // Bit n set: the n-th filter (from 0) was skipped.
    uint32_t filter_mask;
    // 0; for later use.
    uint32_t reserved;
    // Its first element, rank of them.
    uint64_t offset[H5R_MAX_RANK];
} h5r_chunk_details;

// Visits a chunk; 0 goes on, a positive value stops, a negative one fails.
typedef int32_t (*h5r_chunk_visit)(const h5r_chunk_details *chunk, void *user_data);

// What h5r_chunk_cache_info says of a dataset's chunk cache. Start from H5R_CHUNK_CACHE_DETAILS_INIT. The counts begin anew when
// the dataset's last handle is closed.
typedef struct h5r_chunk_cache_details {
    // sizeof(h5r_chunk_cache_details), set by the INIT macro.
    size_t struct_size;
    // Bytes that it may take, unless a single chunk is larger.
    uint64_t bound;
    // Bytes that it takes.
    uint64_t bytes;
    // Chunks in it.
    uint64_t chunks;
    // Those of them that are not written yet.
    uint64_t unwritten;
    // Chunks that a call looked for in it, and found.
    uint64_t hits;
    // Chunks that a call looked for in it, and did not find.
    uint64_t misses;
    // Chunks that were displaced.
    uint64_t displaced;
} h5r_chunk_cache_details;

// What h5r_attr_info says of an attribute. Start from H5R_ATTR_DETAILS_INIT.
typedef struct h5r_attr_details {
    // sizeof(h5r_attr_details), set by the INIT macro.
    size_t struct_size;
    // The datatype in the file; h5r_type_close closes it (a predefined one need not be).
    h5r_type type;
    // Bytes of the value in the file.
    uint64_t storage_size;
    // When it was created, counted from 0 on its object; H5R_NO_CREATION_ORDER where that is not recorded.
    uint64_t creation_order;
    // Number of dimensions; 0 for a scalar and for no value.
    uint64_t rank;
    // H5R_SPACE_NULL, _SCALAR or _SIMPLE.
    int32_t space;
    // 0.
    int32_t reserved;
    // The extents, rank of them.
    uint64_t dims[H5R_MAX_RANK];
} h5r_attr_details;

// Called for each attribute; `name` is valid during the call only. Returns 0 to go on, positive to stop, negative to
// fail.
typedef int32_t (*h5r_attr_visit)(const char *name, void *user_data);

// What h5r_link_info says of a link. Start from H5R_LINK_DETAILS_INIT.
typedef struct h5r_link_details {
    // sizeof(h5r_link_details), set by the INIT macro.
    size_t struct_size;
    // When it was created, counted from 0 in its group; H5R_NO_CREATION_ORDER where that is not recorded.
    uint64_t creation_order;
    // H5R_LINK_HARD, _SOFT, _EXTERNAL or _USER.
    int32_t kind;
    // The format's number for a user-defined link, 65 to 255; otherwise 0.
    int32_t user_type;
    // What the name is said to be: H5R_CHARSET_ASCII or _UTF8.
    int32_t charset;
    // 0; for later use.
    int32_t reserved;
} h5r_link_details;

// Called for each link; `name` is valid during the call only. Returns 0 to go on, positive to stop, negative to fail.
typedef int32_t (*h5r_link_visit)(const char *name, void *user_data);

// Options of h5r_set_lazy. Start from H5R_LAZY_OPTIONS_INIT.
typedef struct h5r_lazy_options {
    // sizeof(h5r_lazy_options), set by the INIT macro.
    size_t struct_size;
    // Work begins when underfull / all nodes reaches this; 0.01 to 0.20, default 0.05.
    double threshold;
    // Work begins when this long has passed since the first unserved deletion or replacement; 1 ms to 24 h, default 300,000.
    uint64_t max_delay_ms;
    // Nodes that one call works off at most; 1 to 1,000,000, default 100.
    uint64_t batch_size;
} h5r_lazy_options;

// What a background session did. More fields may follow in later versions.
typedef struct h5r_progress {
    // Nodes worked off in this session.
    uint64_t nodes_rebalanced;
    // Nodes that are still to be worked off.
    uint64_t nodes_remaining;
    // Estimated time until they are done, from the measured rate.
    uint64_t estimated_remaining_ns;
} h5r_progress;

// Called after each background session, on the background thread; `progress` is valid during the call only.
typedef void (*h5r_progress_callback)(const h5r_progress *progress, void *user_data);

// Options of h5r_set_incremental. Start from H5R_INCREMENTAL_OPTIONS_INIT.
typedef struct h5r_incremental_options {
    // sizeof(h5r_incremental_options), set by the INIT macro.
    size_t struct_size;
    // A session works at most this long; 100 us to 10 s, default 100,000.
    uint64_t budget_us;
    // From the start of one session to the start of the next; 1 ms to 1 h, default 5,000.
    uint64_t interval_ms;
    // Called after each session, or NULL.
    h5r_progress_callback progress;
    // Handed to progress as it is.
    void *user_data;
} h5r_incremental_options;

// One figure that a decision rests on.
typedef struct h5r_factor {
    // Its name, such as "delete_ratio".
    const char *name;
    // Its value.
    double value;
} h5r_factor;

// A change of mode that smart made, and why. More fields may follow in later versions.
typedef struct h5r_mode_change {
    // H5R_MODE_NONE, _LAZY or _INCREMENTAL.
    int32_t selected_mode;
    // The mode before.
    int32_t previous_mode;
    // 0 to 1.
    double confidence;
    // A sentence with the figures that decided.
    const char *reason;
    // The figures, factor_count of them.
    const h5r_factor *factors;
    // How many.
    size_t factor_count;
    // When, in nanoseconds since 1970-01-01 UTC.
    uint64_t timestamp_ns;
} h5r_mode_change;

// Called when smart changed the mode, on the background thread or on one that is using the file; `change` is valid
// during the call only.
typedef void (*h5r_mode_change_callback)(const h5r_mode_change *change, void *user_data);

// Options of h5r_set_smart. Start from H5R_SMART_OPTIONS_INIT.
typedef struct h5r_smart_options {
    // sizeof(h5r_smart_options), set by the INIT macro.
    size_t struct_size;
    // 1, the default: watch the operations. 0: only the file's size decides.
    int32_t auto_detect;
    // 1, the default: follow the workload. 0: the first choice stays.
    int32_t auto_switch;
    // Below this many bytes the mode is none; default 10 MiB.
    uint64_t min_file_size;
    // A sum of H5R_ALLOW_NONE, _LAZY and _INCREMENTAL, at least one; default H5R_ALLOW_ALL.
    uint64_t allowed_modes;
    // The longest time between two evaluations; 1 ms to 24 h, default 300,000. While the file is below min_file_size and
    // on_mode_change is NULL, only calls that read or change something evaluate, and the time may be longer.
    uint64_t reevaluate_ms;
    // No switch below this confidence; 0 to 1, default 0.7.
    double min_confidence;
    // No second switch within this time; 0 to 24 h, default 30,000.
    uint64_t min_switch_interval_ms;
    // Called when the mode changes, or NULL.
    h5r_mode_change_callback on_mode_change;
    // Handed to on_mode_change as it is.
    void *user_data;
} h5r_smart_options;

// A file's rebalancing: what is, what was done, what it cost. Start from H5R_REBALANCE_STATS_INIT.
typedef struct h5r_rebalance_stats {
    // sizeof(h5r_rebalance_stats), set by the INIT macro.
    size_t struct_size;
    // The mode that was set, H5R_MODE_....
    int32_t mode;
    // The mode in effect: the mode set, or smart's choice.
    int32_t effective_mode;
    // Nodes of the B-trees in use.
    uint64_t nodes;
    // Those below half of their capacity; a root never counts.
    uint64_t underfull_nodes;
    // Records held / records that the nodes could hold, 0 to 1.
    double occupancy;
    // Bytes of heap objects.
    uint64_t heap_live_bytes;
    // Bytes of heap blocks that hold no object.
    uint64_t heap_free_bytes;
    // The file's allocated size.
    uint64_t file_bytes;
    // Bytes inside it that nothing uses.
    uint64_t file_free_bytes;
    // Attributes, links and chunks in B-trees created since the file was opened.
    uint64_t inserts;
    // Attributes, links and chunks in B-trees deleted.
    uint64_t deletes;
    // Values replaced, and renames: an h5r_link_move within a group. One to another group counts as a deletion and a
    // creation.
    uint64_t updates;
    // Deletions whose traces are not put right yet.
    uint64_t unserved_deletes;
    // Batches run inside calls.
    uint64_t batches;
    // Sessions of the background thread.
    uint64_t sessions;
    // Passes over everything that was due that came to their end.
    uint64_t sweeps;
    // Nodes worked off.
    uint64_t nodes_rebalanced;
    // Nodes that the pass in progress has still to visit.
    uint64_t nodes_remaining;
    // Heap objects moved.
    uint64_t objects_moved;
    // Their bytes.
    uint64_t bytes_moved;
    // The longest time that rebalancing kept the file's lock, or its caller waiting, at a stretch; a flush's or a close's part in it, too.
    uint64_t worst_pause_ns;
    // The time spent in rebalancing.
    uint64_t total_time_ns;
    // Changes of mode that smart made.
    uint64_t mode_changes;
    // Evaluations that smart made.
    uint64_t evaluations;
    // The confidence of smart's latest evaluation, also when another mode was set since; 0 before the first.
    double confidence;
    // The mode it found best; H5R_MODE_NONE before the first.
    int32_t decision;
    // 0.
    int32_t reserved;
    // Its reason, one sentence with a NUL; empty before the first.
    char reason[256];
    // Calls that read a value, elements or a chunk, that looked up or listed attributes or links, or opened an object by
    // its path.
    uint64_t reads;
} h5r_rebalance_stats;

// Options of h5r_check_path. Start from H5R_CHECK_OPTIONS_INIT.
typedef struct h5r_check_options {
    // sizeof(h5r_check_options), set by the INIT macro.
    size_t struct_size;
    // 1: apply or discard what an interrupted flush has left, and clear the flag that a crashed writer has left if the
    // check finds no error. 0, the default: open the file for reading only.
    int32_t recover;
    // H5R_LOCKING_ENVIRONMENT (default), _OFF or _ON.
    int32_t locking;
    // The most findings that are handed to the callback; the report counts all. Default 1000.
    uint64_t max_findings;
} h5r_check_options;

// What a check found, and what the file consists of. Start from H5R_CHECK_REPORT_INIT.
typedef struct h5r_check_report {
    // sizeof(h5r_check_report), set by the INIT macro.
    size_t struct_size;
    // Findings of H5R_SEVERITY_ERROR; the file is sound when there are none.
    uint64_t errors;
    // Findings of H5R_SEVERITY_WARNING.
    uint64_t warnings;
    // Findings of H5R_SEVERITY_UNCHECKED.
    uint64_t unchecked;
    // Groups that were read.
    uint64_t groups;
    // Datasets that were read.
    uint64_t datasets;
    // Committed datatypes that were read.
    uint64_t named_types;
    // The file's length in bytes.
    uint64_t file_bytes;
    // Bytes up to the end of allocation, from the superblock on.
    uint64_t allocated_bytes;
    // Bytes in use.
    uint64_t used_bytes;
    // Bytes that free-space managers list.
    uint64_t free_bytes;
    // Bytes that nothing uses and no free-space manager lists.
    uint64_t leaked_bytes;
    // Blocks of the redo record that was found.
    uint64_t redo_blocks;
    // Their bytes.
    uint64_t redo_bytes;
    // H5R_INTERRUPTED_...
    int32_t interrupted;
    // The superblock's consistency flags as they were found.
    int32_t flags;
    // 1 when they were cleared.
    int32_t flags_cleared;
    // 0.
    int32_t reserved;
} h5r_check_report;

// One finding. More fields may follow in later versions.
typedef struct h5r_check_finding {
    // H5R_SEVERITY_...
    int32_t severity;
    // H5R_FINDING_...
    int32_t kind;
    // The address of the structure in the file, from the superblock on, or H5R_NO_ADDRESS.
    uint64_t address;
    // The object's path, or "the file".
    const char *path;
    // What was found, in one line.
    const char *message;
} h5r_check_finding;

// Called for each finding, which is valid during the call only. Returns 0 to go on, positive to stop, negative to fail.
typedef int32_t (*h5r_check_visit)(const h5r_check_finding *finding, void *user_data);

// A sequence of variable length in memory, and an encoded reference of libhdf5 1.12.
typedef struct h5r_vlen {
    // The number of elements; of a reference, of bytes.
    size_t length;
    // The elements; NULL when there are none.
    void *data;
} h5r_vlen;

// Success.
#define H5R_OK 0

// The handle is NULL, closed, of another kind, or was never made by h5r.
#define H5R_ERR_BAD_HANDLE -1

// An argument is malformed: a NULL pointer, an empty or non-UTF-8 name, a wrong rank, options of an unknown layout.
#define H5R_ERR_ARGUMENT -2

// A value lies outside its accepted range; the message names the field and the range.
#define H5R_ERR_RANGE -3

// The object, link or attribute does not exist.
#define H5R_ERR_NOT_FOUND -4

// The name is taken already.
#define H5R_ERR_EXISTS -5

// The object is of another kind than the call needs (a dataset where a group is needed).
#define H5R_ERR_WRONG_KIND -6

// There is no conversion between these datatypes, or sizes do not agree.
#define H5R_ERR_TYPE -7

// The caller's buffer is too small; the message says how much is needed.
#define H5R_ERR_TOO_SMALL -8

// The file was opened for reading only.
#define H5R_ERR_READ_ONLY -9

// The file is not an HDF5 file.
#define H5R_ERR_NOT_HDF5 -10

// A structure of the file contradicts the format or its checksum.
#define H5R_ERR_CORRUPT -11

// Valid HDF5 that this version does not handle yet; the message names the structure.
#define H5R_ERR_UNSUPPORTED -12

// A limit of the format or of this library was reached.
#define H5R_ERR_LIMIT -13

// Another process holds the file's lock, or the file says that it is being written.
#define H5R_ERR_LOCKED -14

// Incremental rebalancing needs `h5r_set_lazy` first.
#define H5R_ERR_LAZY_REQUIRED -15

// The call was made from a callback of the same file, where it would wait for itself. Nothing was changed.
#define H5R_ERR_REENTRANT -16

// The user's callback returned a negative value.
#define H5R_ERR_CALLBACK -17

// The operating system reported an error.
#define H5R_ERR_IO -18

// An earlier write or sync of this file failed, or a defect was found in it: it accepts only `h5r_close`.
#define H5R_ERR_FAILED -19

// A defect of h5r. The file accepts only `h5r_close` from now on; what was flushed last is kept.
#define H5R_ERR_INTERNAL -20

// Signed 8-bit integer.
#define H5R_I8 1

// Signed 16-bit integer, little-endian, as all that follow without _BE.
#define H5R_I16 2

// Signed 32-bit integer.
#define H5R_I32 3

// Signed 64-bit integer.
#define H5R_I64 4

// Unsigned 8-bit integer.
#define H5R_U8 5

// Unsigned 16-bit integer.
#define H5R_U16 6

// Unsigned 32-bit integer.
#define H5R_U32 7

// Unsigned 64-bit integer.
#define H5R_U64 8

// IEEE 754 half precision.
#define H5R_F16 9

// IEEE 754 single precision.
#define H5R_F32 10

// IEEE 754 double precision.
#define H5R_F64 11

// Signed 16-bit integer, big-endian.
#define H5R_I16_BE 34

// Signed 32-bit integer, big-endian.
#define H5R_I32_BE 35

// Signed 64-bit integer, big-endian.
#define H5R_I64_BE 36

// Unsigned 16-bit integer, big-endian.
#define H5R_U16_BE 38

// Unsigned 32-bit integer, big-endian.
#define H5R_U32_BE 39

// Unsigned 64-bit integer, big-endian.
#define H5R_U64_BE 40

// IEEE 754 half precision, big-endian.
#define H5R_F16_BE 41

// IEEE 754 single precision, big-endian.
#define H5R_F32_BE 42

// IEEE 754 double precision, big-endian.
#define H5R_F64_BE 43

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The version of the library in use: `major << 16 | minor << 8 | patch`. Cannot fail; any thread.
uint32_t h5r_version_number(void);

// The version of the library in use as text, `"0.1.0"`. Static storage; cannot fail; any thread.
const char *h5r_version(void);

// The name of a status, `"H5R_ERR_RANGE"`; `"H5R_ERR_UNKNOWN"` for a number that is no status. Static storage;
// cannot fail; any thread.
const char *h5r_status_name(h5r_status status);

// This thread's message for its last failed call: one line of UTF-8 that says what was wrong, with which value, and
// what is accepted; an empty string when the last call succeeded. Never NULL. The text stays valid until this
// thread's next call of a function that can fail. Cannot fail; any thread, each has its own.
const char *h5r_last_error(void);

// Makes `message` this thread's message for its last failed call, which ended with `status`, and returns `status`: for
// layers above this library that refuse something themselves. NULL, or H5R_OK, is no message. Any thread.
h5r_status h5r_set_last_error(h5r_status status, const char *message);

// Makes the type of strings of `size` bytes each, terminator included; `padding` is H5R_PAD_..., `charset`
// H5R_CHARSET_.... `h5r_type_close` closes it.
//
// Errors: RANGE, ARGUMENT. Any thread.
h5r_status h5r_type_string(size_t size, int32_t padding, int32_t charset, h5r_type *type_out);

// Stores how many bytes one element has in memory: a string of variable length is a pointer.
//
// Errors: BAD_HANDLE, ARGUMENT. Any thread.
h5r_status h5r_type_size(h5r_type type, size_t *size_out);

// Stores the type's class, H5R_CLASS_....
//
// Errors: BAD_HANDLE, ARGUMENT. Any thread.
h5r_status h5r_type_class(h5r_type type, int32_t *class_out);

// Stores whether two types are the same: class, size, byte order, and every property. The order in which the members
// of compounds and enumerations were added does not count.
//
// Errors: BAD_HANDLE, ARGUMENT. Any thread.
h5r_status h5r_type_equal(h5r_type a, h5r_type b, bool *equal_out);

// Stores the type in words, "32-bit little-endian signed integer", with its NUL, in `buffer` of `capacity` bytes, and
// its length without NUL in `length_out`, which may be NULL. Capacity 0 asks for the length only.
//
// Errors: BAD_HANDLE, ARGUMENT, TOO_SMALL. Any thread.
h5r_status h5r_type_describe(h5r_type type, char *buffer, size_t capacity, size_t *length_out);

// Closes a made type; nothing that was written with it needs it any more. Closing 0 or a predefined type does nothing.
//
// Errors: BAD_HANDLE (closed before). Any thread.
h5r_status h5r_type_close(h5r_type type);

// Makes the type of integers with this layout: any precision, at any bit. `h5r_type_close` closes it, as it closes what
// the calls below make.
//
// Errors: RANGE, ARGUMENT. Any thread.
h5r_status h5r_type_integer(const h5r_type_layout *layout, h5r_type *type_out);

// Makes the type of floats with this layout.
//
// Errors: RANGE, ARGUMENT (fields that overlap). Any thread.
h5r_status h5r_type_float(const h5r_type_layout *layout, h5r_type *type_out);

// Makes the type of bit fields with this layout.
//
// Errors: RANGE, ARGUMENT. Any thread.
h5r_status h5r_type_bitfield(const h5r_type_layout *layout, h5r_type *type_out);

// Makes the type of complex numbers of two `part`s, a float type. libhdf5 reads it since 2.0.
//
// Errors: BAD_HANDLE, ARGUMENT. Any thread.
h5r_status h5r_type_complex(h5r_type part, h5r_type *type_out);

// Makes the type of times: seconds since 1970 in 32 or 64 bits, in the order H5R_BYTES_LITTLE or _BIG.
//
// Errors: RANGE, ARGUMENT. Any thread.
h5r_status h5r_type_time(uint32_t bits, int32_t order, h5r_type *type_out);

// Makes the type of strings of variable length: `char *` in memory. `padding` is H5R_PAD_..., `charset`
// H5R_CHARSET_....
//
// Errors: RANGE, ARGUMENT. Any thread.
h5r_status h5r_type_string_variable(int32_t padding, int32_t charset, h5r_type *type_out);

// Makes the type of sequences of variable length of `base`: `h5r_vlen` in memory.
//
// Errors: BAD_HANDLE, ARGUMENT. Any thread.
h5r_status h5r_type_vlen(h5r_type base, h5r_type *type_out);

// Makes the type of `size` opaque bytes with a tag of at most 248 bytes.
//
// Errors: RANGE, ARGUMENT. Any thread.
h5r_status h5r_type_opaque(size_t size, const char *tag, h5r_type *type_out);

// Makes the type of arrays of `base` with `rank` dimensions, 1 to 32, none of them 0.
//
// Errors: BAD_HANDLE, RANGE, ARGUMENT. Any thread.
h5r_status h5r_type_array(h5r_type base, size_t rank, const uint64_t *dims, h5r_type *type_out);

// Makes the type of references of a kind, H5R_REF_....
//
// Errors: RANGE, ARGUMENT. Any thread.
h5r_status h5r_type_reference(int32_t kind, h5r_type *type_out);

// Makes a compound type of `size` bytes without members; `h5r_type_insert` adds them.
//
// Errors: RANGE, ARGUMENT. Any thread.
h5r_status h5r_type_compound(size_t size, h5r_type *type_out);

// Adds a member at `offset` bytes to a compound type: it overlaps no other and lies within the compound's size.
//
// Errors: BAD_HANDLE, ARGUMENT, RANGE, TYPE, EXISTS (the name), LIMIT. Any thread.
h5r_status h5r_type_insert(h5r_type compound, const char *name, uint64_t offset, h5r_type member);

// Makes an enumeration type without names that the integer type `base` stores; `h5r_type_enum_insert` adds them.
//
// Errors: BAD_HANDLE, ARGUMENT. Any thread.
h5r_status h5r_type_enum(h5r_type base, h5r_type *type_out);

// Adds a name for `value`, one element of the enumeration's base. Neither the name nor the value is there yet.
//
// Errors: BAD_HANDLE, ARGUMENT, TYPE, EXISTS, LIMIT. Any thread.
h5r_status h5r_type_enum_insert(h5r_type enumeration, const char *name, const void *value);

// Makes a copy of a type: what is added to one does not change the other. A named datatype's copy is not named.
//
// Errors: BAD_HANDLE, ARGUMENT. Any thread.
h5r_status h5r_type_copy(h5r_type type, h5r_type *type_out);

// Stores the type as a named datatype at `path`, absolute or relative to `loc`, with the groups on the way that are
// missing. `object_out` may be NULL. Datasets and attributes made with the type that `h5r_object_type` gives for that
// object share it.
//
// Errors: BAD_HANDLE, ARGUMENT, EXISTS, WRONG_KIND, READ_ONLY, IO, FAILED. Any thread.
h5r_status h5r_type_commit(h5r_object *loc, const char *path, h5r_type type, h5r_object **object_out);

// Stores where the bits of an integer, float, bit field or time are, in `layout_out`, which the caller initialised with
// H5R_TYPE_LAYOUT_INIT.
//
// Errors: BAD_HANDLE, ARGUMENT, TYPE. Any thread.
h5r_status h5r_type_get_layout(h5r_type type, h5r_type_layout *layout_out);

// Stores the padding H5R_PAD_..., the character set H5R_CHARSET_... and whether the length is variable, of a string
// type. Each output may be NULL.
//
// Errors: BAD_HANDLE, TYPE. Any thread.
h5r_status h5r_type_string_info(h5r_type type, int32_t *padding_out, int32_t *charset_out, bool *is_variable_out);

// Stores whether elements of the type have parts of variable length in memory: strings, sequences or references of
// libhdf5 1.12. What was read with such a type is given back with `h5r_vlen_release`.
//
// Errors: BAD_HANDLE, ARGUMENT. Any thread.
h5r_status h5r_type_is_variable(h5r_type type, bool *is_variable_out);

// Stores the number of members of a compound, or of names of an enumeration.
//
// Errors: BAD_HANDLE, ARGUMENT, TYPE. Any thread.
h5r_status h5r_type_member_count(h5r_type type, uint64_t *count_out);

// Stores the name of member `index` of a compound or enumeration, with its NUL, in `buffer` of `capacity` bytes, and its
// length without NUL in `length_out`, which may be NULL. Capacity 0 asks for the length only.
//
// Errors: BAD_HANDLE, ARGUMENT, RANGE, TYPE, TOO_SMALL. Any thread.
h5r_status h5r_type_member_name(h5r_type type,
                                uint64_t index,
                                char *buffer,
                                size_t capacity,
                                size_t *length_out);

// Stores the index of the member with this name, of a compound or enumeration.
//
// Errors: BAD_HANDLE, ARGUMENT, NOT_FOUND, TYPE. Any thread.
h5r_status h5r_type_member_index(h5r_type type, const char *name, uint64_t *index_out);

// Stores where member `index` of a compound begins, in bytes, and its type, which `h5r_type_close` closes. Each output
// may be NULL.
//
// Errors: BAD_HANDLE, RANGE, TYPE. Any thread.
h5r_status h5r_type_member(h5r_type compound, uint64_t index, uint64_t *offset_out, h5r_type *type_out);

// Stores the value of name `index` of an enumeration, one element of its base, in `value_out`.
//
// Errors: BAD_HANDLE, ARGUMENT, RANGE, TYPE. Any thread.
h5r_status h5r_type_enum_value(h5r_type enumeration, uint64_t index, void *value_out);

// Stores the type of the elements of an array or sequence, the integer of an enumeration, or the parts of a complex
// number; `h5r_type_close` closes it.
//
// Errors: BAD_HANDLE, ARGUMENT, TYPE. Any thread.
h5r_status h5r_type_base(h5r_type type, h5r_type *base_out);

// Stores the number of dimensions of an array type, and, unless it is NULL, the dimensions in `dims_out`, which has
// room for H5R_MAX_RANK.
//
// Errors: BAD_HANDLE, ARGUMENT, TYPE. Any thread.
h5r_status h5r_type_dims(h5r_type array, size_t *rank_out, uint64_t *dims_out);

// Stores an opaque type's tag, with its NUL, in `buffer` of `capacity` bytes, and its length without NUL in
// `length_out`, which may be NULL. Capacity 0 asks for the length only.
//
// Errors: BAD_HANDLE, ARGUMENT, TYPE, TOO_SMALL. Any thread.
h5r_status h5r_type_tag(h5r_type opaque, char *buffer, size_t capacity, size_t *length_out);

// Stores the kind of a reference type, H5R_REF_....
//
// Errors: BAD_HANDLE, ARGUMENT, TYPE. Any thread.
h5r_status h5r_type_reference_kind(h5r_type reference, int32_t *kind_out);

// Stores the type of a dataset's elements, or that a named datatype stands for; `h5r_type_close` closes it.
//
// Errors: BAD_HANDLE, ARGUMENT, WRONG_KIND (a group), CORRUPT, IO. Any thread.
h5r_status h5r_object_type(h5r_object *object, h5r_type *type_out);

// Stores the type of an attribute's elements; `h5r_type_close` closes it.
//
// Errors: BAD_HANDLE, ARGUMENT, NOT_FOUND, CORRUPT, IO. Any thread.
h5r_status h5r_attr_type(h5r_object *object, const char *name, h5r_type *type_out);

// Stores whether the type was read from a named datatype, so that what is made with it in that file shares it.
//
// Errors: BAD_HANDLE, ARGUMENT. Any thread.
h5r_status h5r_type_is_committed(h5r_type type, bool *is_committed_out);

// Gives back what `h5r_dataset_read` or `h5r_attr_read` stored behind the pointers in `count` elements of `type`: the
// strings, the sequences with all that is in them, and the references. The pointers become NULL, and lengths 0, so that a
// second call does nothing. Only what h5r made may be in the elements.
//
// Errors: BAD_HANDLE, ARGUMENT, RANGE. Any thread.
h5r_status h5r_vlen_release(h5r_type type,
                            uint64_t count,
                            void *data);

// Creates the file `path`, and replaces one that exists unless the options say otherwise; `options` may be NULL for
// all defaults. Stores a handle that `h5r_close` closes.
//
// Errors: ARGUMENT, RANGE, EXISTS (exclusive), LOCKED, IO. Any thread.
h5r_status h5r_create(const char *path, const h5r_create_options *options, h5r_file **file_out);

// Opens the HDF5 file `path` for reading and writing, or for reading only if the options say so; `options` may be NULL
// for all defaults. Stores a handle that `h5r_close` closes.
//
// Errors: ARGUMENT, RANGE, NOT_FOUND, NOT_HDF5, CORRUPT, UNSUPPORTED, LOCKED, IO. Any thread.
h5r_status h5r_open(const char *path, const h5r_open_options *options, h5r_file **file_out);

// Writes everything that was changed; the file on disk is then a valid HDF5 file with this state. So are other files whose
// objects were opened through external links of this one.
//
// In every mode but none, incremental included, a flush first does the rebalancing that is left, in the calling thread, where a
// quarter of the records or more was deleted since the last pass: docs/rebalancing.md says what that costs.
//
// Errors: BAD_HANDLE, READ_ONLY, IO (after which the file accepts only `h5r_close`), FAILED. Any thread.
h5r_status h5r_flush(h5r_file *file);

// Sets what flushes survive from now on: H5R_DURABILITY_PROCESS, _POWER or _NONE.
//
// Errors: BAD_HANDLE, RANGE, READ_ONLY, FAILED. Any thread.
h5r_status h5r_set_durability(h5r_file *file, int32_t durability);

// Stops background work, flushes and closes the file, and everything that was opened from it. The handle is
// consumed, also when an error is returned; only H5R_ERR_REENTRANT, from a callback of this very file, leaves it
// open. No callback of this file comes after this returned. Closing NULL does nothing.
//
// Errors: BAD_HANDLE, REENTRANT, IO, FAILED (an earlier write failed: the file keeps its last flushed state),
// INTERNAL. Any thread.
h5r_status h5r_close(h5r_file *file);

// The file's root group; NULL for a bad handle. The handle is borrowed: it is the same for every call, lives as long as
// the file is open, and closing it does nothing. Any thread.
h5r_object *h5r_root(h5r_file *file);

// Reads every structure of the file and checks it against the format and against each other: B-trees, heaps, object
// headers, counts, and that no two of them share space. Changes nothing.
//
// Errors: BAD_HANDLE, CORRUPT (the message names the structure and its address), UNSUPPORTED, IO. Any thread.
h5r_status h5r_check(h5r_file *file);

// Calls `progress` from now on in h5r_dataset_read, _write and their kin of 1 MiB and more: before the first byte, at the end,
// and in between while chunks go through filters, while chunks are read, and after each 32 MiB read in one piece; NULL: no more. It runs on the thread that made the call, no lock is held meanwhile, and it may call
// anything on this file but h5r_close and this. When a writing call is ended, chunks are as before or as written, whole ones,
// and the dataset is sound. The one before is not called any more when this returns.
//
// Errors: BAD_HANDLE, REENTRANT (from a callback of this file), FAILED. Any thread.
h5r_status h5r_set_progress(h5r_file *file,
                            h5r_transfer_progress progress,
                            void *user_data);

// Creates the group `path`, absolute or relative to `loc`, with the groups on the way that are missing. `options` may
// be NULL for all defaults, `group_out` NULL when no handle is wanted; `h5r_object_close` closes the handle.
//
// Errors: BAD_HANDLE, ARGUMENT, RANGE, EXISTS, WRONG_KIND (something on the way is no group), READ_ONLY, FAILED.
// Any thread.
h5r_status h5r_group_create(h5r_object *loc,
                            const char *path,
                            const h5r_group_options *options,
                            h5r_object **group_out);

// Opens the group, dataset or named datatype at `path`, absolute or relative to `loc`; soft links are followed, and external
// ones. Their file is opened as this one is, for reading only where it cannot be written, and is open as long as an object of it
// is; if this process has it open for writing already, it is that open file, and closes with it. What calls change in it is
// committed with this file, and when the object is closed; at once by a call that changes what a path leads to, where no object
// of it is open. Stores a handle that `h5r_object_close` closes.
//
// Errors: BAD_HANDLE, ARGUMENT, NOT_FOUND (also an external link's file), NOT_HDF5, LOCKED, WRONG_KIND, CORRUPT, UNSUPPORTED (a
// user-defined link), IO.
// Any thread.
h5r_status h5r_object_open(h5r_object *loc,
                           const char *path,
                           h5r_object **object_out);

// Closes an object; its file stays open and unflushed, but one that an external link led to is flushed. The handle is consumed.
// Closing NULL, or the borrowed handle of `h5r_root`, does nothing.
//
// Errors: BAD_HANDLE (closed before, also with its file), IO and FAILED (of an external link's file). Any thread.
h5r_status h5r_object_close(h5r_object *object);

// Stores what the object is: H5R_KIND_GROUP, H5R_KIND_DATASET or H5R_KIND_TYPE.
//
// Errors: BAD_HANDLE, ARGUMENT. Any thread.
h5r_status h5r_object_kind(h5r_object *object, int32_t *kind_out);

// Stores the absolute path by which the object was opened or created, with its NUL, in `buffer` of `capacity` bytes, and
// its length without NUL in `length_out`, which may be NULL. Capacity 0 asks for the length only.
//
// Errors: BAD_HANDLE, ARGUMENT, TOO_SMALL. Any thread.
h5r_status h5r_object_path(h5r_object *object,
                           char *buffer,
                           size_t capacity,
                           size_t *length_out);

// Stores the kind, address, times, counts and space of the object at `path`, relative to `loc`, in `info_out`, which the
// caller initialised with H5R_OBJECT_DETAILS_INIT; soft links are followed. `path` may be NULL, which means `loc`. Reads
// all indexes of the object.
//
// Errors: BAD_HANDLE, ARGUMENT, NOT_FOUND, WRONG_KIND, CORRUPT, UNSUPPORTED (a user-defined link), IO.
// Any thread.
h5r_status h5r_object_info(h5r_object *loc,
                           const char *path,
                           h5r_object_details *info_out);

// Calls `visit` for `loc` and for each object that hard links lead to from there, once; a group before what it holds,
// its links in the order H5R_ORDER_... . No lock is held meanwhile, so `visit` may call anything on this file but
// `h5r_close`; what it deletes is not visited. Another thread that closes the file ends the visit with BAD_HANDLE.
//
// Errors: BAD_HANDLE, ARGUMENT (also: creation order is not recorded), RANGE, CALLBACK (`visit` returned a
// negative value), CORRUPT, IO. Any thread; `visit` runs on this one.
h5r_status h5r_object_visit(h5r_object *loc, int32_t order, h5r_object_path_visit visit, void *user_data);

// Stores the object's comment, with its NUL, in `buffer` of `capacity` bytes, and its length without NUL in
// `length_out`, which may be NULL. An object without one has an empty comment. Capacity 0 asks for the length only.
//
// Errors: BAD_HANDLE, ARGUMENT, TOO_SMALL, CORRUPT, IO. Any thread.
h5r_status h5r_object_comment(h5r_object *object, char *buffer, size_t capacity, size_t *length_out);

// Gives the object a comment, in the place of the one that it has; NULL or "" takes it away.
//
// Errors: BAD_HANDLE, ARGUMENT, LIMIT (more than 65,534 bytes), READ_ONLY, CORRUPT, IO, FAILED. Any thread.
h5r_status h5r_object_set_comment(h5r_object *object, const char *comment);

// Registers a filter for all files of this process: datasets with it can then be written and read. id is 256 to 65535 and
// none of h5r's own; name is stored with new datasets. encode or decode may be NULL: then data cannot be written, or not be
// read. A dataset whose filter is not registered can be opened and asked, its data are refused with H5R_ERR_UNSUPPORTED.
//
// Errors: ARGUMENT, RANGE (id), EXISTS (h5r's own or registered already), REENTRANT. Any thread. The callbacks and user_data must
// live until h5r_filter_unregister returned.
h5r_status h5r_filter_register(uint32_t id,
                               const char *name,
                               h5r_filter_callback encode,
                               h5r_filter_callback decode,
                               void *user_data);

// Takes a filter out. Its callbacks have returned and never come again when this returns.
//
// Errors: NOT_FOUND, RANGE (id), REENTRANT. Any thread.
h5r_status h5r_filter_unregister(uint32_t id);

// Copies the object at `from`, relative to `from_loc`, to `to`, relative to `to_loc`, a group of the same file or of another
// one that is open; missing groups on the way to `to` are created. The copy is deep: a group with all below it, each object
// once, so that hard links within stay shared; attributes, comments and creation orders; chunks as they are stored, values of
// variable length, and named datatypes that the data share. Soft, external and user-defined links are copied as they are.
// References to objects and regions stay as they are within a file, and become null in another one. `options` may be NULL for
// all defaults, `to_loc` NULL, which means `from_loc`. After an error there is no part of a copy.
//
// Errors: BAD_HANDLE, ARGUMENT, RANGE, NOT_FOUND, EXISTS, WRONG_KIND (something on the way is no group), UNSUPPORTED (a dataset
// with external files, or what the target's format has no place for), CALLBACK (of a filter), READ_ONLY (the target), LIMIT, CORRUPT,
// IO, FAILED. Any thread; calls on both files wait.
h5r_status h5r_object_copy(h5r_object *from_loc,
                           const char *from_path,
                           h5r_object *to_loc,
                           const char *to_path,
                           const h5r_copy_options *options);

// Creates a dataset of `rank` dimensions `dims` (rank 0, with `dims` NULL, is a scalar) at `path`, absolute or
// relative to `loc`, with the groups on the way that are missing. `options` may be NULL for all defaults,
// `dataset_out` NULL when no handle is wanted; `h5r_object_close` closes the handle.
//
// Errors: BAD_HANDLE, ARGUMENT, RANGE, EXISTS, WRONG_KIND, TYPE (the fill value), UNSUPPORTED (a filter
// that is not known), CALLBACK (of a filter, where chunks are allocated early), READ_ONLY, IO, FAILED. Any thread.
h5r_status h5r_dataset_create(h5r_object *loc,
                              const char *path,
                              h5r_type type,
                              size_t rank,
                              const uint64_t *dims,
                              const h5r_dataset_options *options,
                              h5r_object **dataset_out);

// Writes the elements of `selection`, or all for NULL, from `data`: elements of `memory_type` in row-major order. What is written
// to a virtual dataset goes to its sources, and in other files is committed as what is changed through external links. Before
// values of variable length are written to external files, the file is flushed.
//
// Errors: BAD_HANDLE, ARGUMENT, RANGE (outside the dataset, or an element of a virtual one without a source), WRONG_KIND, TYPE,
// UNSUPPORTED (references into another file, a filter that is only read), READ_ONLY (also the file of a source), LOCKED,
// IO, FAILED. Any thread.
h5r_status h5r_dataset_write(h5r_object *dataset,
                             h5r_type memory_type,
                             const h5r_selection *selection,
                             const void *data);

// Reads the elements of `selection`, or all for NULL, converted to `memory_type`, into `data_out` in row-major order.
//
// Errors: BAD_HANDLE, ARGUMENT, RANGE (outside the dataset), WRONG_KIND, TYPE, UNSUPPORTED (a filter that is not
// known, which the message names), CORRUPT, IO.
// Any thread.
h5r_status h5r_dataset_read(h5r_object *dataset,
                            h5r_type memory_type,
                            const h5r_selection *selection,
                            void *data_out);

// Stores a dataset's number of dimensions, the dimensions in `dims_out`, which has room for H5R_MAX_RANK, and its number
// of elements: 1 of a scalar, 0 where there is no value. Each output may be NULL. It costs next to nothing, where
// h5r_dataset_info reads the index of all chunks.
//
// Errors: BAD_HANDLE, WRONG_KIND, CORRUPT, IO. Any thread.
h5r_status h5r_dataset_dims(h5r_object *dataset,
                            size_t *rank_out,
                            uint64_t *dims_out,
                            uint64_t *elements_out);

// Stores a dataset's type, dimensions, layout and size in `info_out`, which the caller initialised with
// H5R_DATASET_DETAILS_INIT. For the size it reads the index of all chunks.
//
// Errors: BAD_HANDLE, ARGUMENT, WRONG_KIND, CORRUPT, IO. Any thread.
h5r_status h5r_dataset_info(h5r_object *dataset, h5r_dataset_details *info_out);

// Changes a chunked dataset's dimensions, within its maximum; `dims` has as many as its rank. Chunks that are then outside
// are freed, and where the dataset grows again it has its fill value.
//
// Errors: BAD_HANDLE, ARGUMENT, RANGE, WRONG_KIND (not chunked), UNSUPPORTED (a filter that is only read),
// CALLBACK (of a filter), READ_ONLY, IO, FAILED. Any thread.
h5r_status h5r_dataset_set_extent(h5r_object *dataset,
                                  const uint64_t *dims);

// Appends `rows` rows to a chunked dataset along its first dimension: `data` are their elements of `memory_type`.
//
// Errors: BAD_HANDLE, ARGUMENT, RANGE, WRONG_KIND (not chunked), TYPE, UNSUPPORTED (as for
// h5r_dataset_set_extent and h5r_dataset_write), READ_ONLY, IO, FAILED. Any thread.
h5r_status h5r_dataset_append(h5r_object *dataset, h5r_type memory_type, uint64_t rows, const void *data);

// Reads the elements at `count` points, converted to `memory_type`, into `data_out` in their order. `points` has the
// coordinates of one point after the other, as many each as the dataset has dimensions.
//
// Errors: as h5r_dataset_read. Any thread.
h5r_status h5r_dataset_read_points(h5r_object *dataset,
                                   h5r_type memory_type,
                                   size_t count,
                                   const uint64_t *points,
                                   void *data_out);

// Writes `count` elements of `memory_type` to the places `points`, as in h5r_dataset_read_points; of those at the same place
// the last one stays. Nothing is written when a point is outside the dataset.
//
// Errors: as h5r_dataset_write. Any thread.
h5r_status h5r_dataset_write_points(h5r_object *dataset,
                                    h5r_type memory_type,
                                    size_t count,
                                    const uint64_t *points,
                                    const void *data);

// Reads the elements of `count` selections, those of one after those of the other, into `data_out`. What several select comes
// as often.
//
// Errors: as h5r_dataset_read. Any thread.
h5r_status h5r_dataset_read_list(h5r_object *dataset,
                                 h5r_type memory_type,
                                 size_t count,
                                 const h5r_selection *selections,
                                 void *data_out);

// Writes the elements of `count` selections, those of one after those of the other, from `data`; where selections meet, the
// last one stays. Nothing is written when one is outside the dataset.
//
// Errors: as h5r_dataset_write. Any thread.
h5r_status h5r_dataset_write_list(h5r_object *dataset,
                                  h5r_type memory_type,
                                  size_t count,
                                  const h5r_selection *selections,
                                  const void *data);

// Reads the elements of `selection` (NULL: all) to the places that `memory_selection` (NULL: all) selects in an array of
// `memory_rank` dimensions `memory_dims` at `data_out`; both select as many. What is not selected there stays as it is.
//
// Errors: as h5r_dataset_read. Any thread.
h5r_status h5r_dataset_read_into(h5r_object *dataset,
                                 h5r_type memory_type,
                                 const h5r_selection *selection,
                                 size_t memory_rank,
                                 const uint64_t *memory_dims,
                                 const h5r_selection *memory_selection,
                                 void *data_out);

// Writes the elements that `memory_selection` (NULL: all) selects in an array of `memory_rank` dimensions `memory_dims` at
// `data` to the places of `selection` (NULL: all); both select as many.
//
// Errors: as h5r_dataset_write. Any thread.
h5r_status h5r_dataset_write_from(h5r_object *dataset,
                                  h5r_type memory_type,
                                  const h5r_selection *selection,
                                  size_t memory_rank,
                                  const uint64_t *memory_dims,
                                  const h5r_selection *memory_selection,
                                  const void *data);

// Describes the stored chunk whose first element is at `offset`, one number per dimension, in `info_out`, which the caller
// initialised with H5R_CHUNK_DETAILS_INIT.
//
// Errors: BAD_HANDLE, ARGUMENT, RANGE (no chunk can begin there), NOT_FOUND (none was written there), WRONG_KIND (not
// chunked), CORRUPT, IO. Any thread.
h5r_status h5r_chunk_info(h5r_object *dataset,
                          const uint64_t *offset,
                          h5r_chunk_details *info_out);

// Reads the stored chunk whose first element is at `offset` into `buffer` of `capacity` bytes, as the file has it: filters are
// not undone. Stores its bytes in `length_out` and the mask of skipped filters in `filter_mask_out`; either may be NULL.
// Capacity 0 asks for these only.
//
// Errors: as h5r_chunk_info, TOO_SMALL. Any thread.
h5r_status h5r_chunk_read(h5r_object *dataset,
                          const uint64_t *offset,
                          void *buffer,
                          size_t capacity,
                          size_t *length_out,
                          uint32_t *filter_mask_out);

// Stores `length` bytes as the chunk whose first element is at `offset`, as if the dataset's filters had made them; bit n of
// `filter_mask` says that the n-th filter was skipped. What the filters make of it is not checked.
//
// A mask that is not 0 is a trap where libhdf5 (seen with 2.0.0) changes the file later: overwriting a chunk with as many
// bytes it keeps the mask, and a chunk that was stored unfiltered becomes garbage when it happens to compress to its own size.
//
// Errors: as h5r_chunk_info (but NOT_FOUND), RANGE (also a length or mask that cannot be), READ_ONLY, FAILED. Any thread.
h5r_status h5r_chunk_write(h5r_object *dataset,
                           const uint64_t *offset,
                           uint32_t filter_mask,
                           const void *data,
                           size_t length);

// Calls `visit` with each stored chunk that the dataset has now, in the order of its index; no lock is held meanwhile. The
// details live as long as the visit.
//
// Errors: BAD_HANDLE, ARGUMENT, WRONG_KIND, CALLBACK (`visit` returned a negative value), CORRUPT, IO. Any thread; `visit`
// runs on this one.
h5r_status h5r_chunk_iterate(h5r_object *dataset,
                             h5r_chunk_visit visit,
                             void *user_data);

// Describes the cache of the dataset's decoded chunks in `info_out`, which the caller initialised with
// H5R_CHUNK_CACHE_DETAILS_INIT. Chunks that are written in part wait in it until they are displaced or flushed, and those that
// filters were undone of for a part stay in it; whole chunks go past it.
//
// Errors: BAD_HANDLE, ARGUMENT, WRONG_KIND (not chunked). Any thread.
h5r_status h5r_chunk_cache_info(h5r_object *dataset,
                                h5r_chunk_cache_details *info_out);

// Sets how many bytes the cache of the dataset's decoded chunks may take, unless a single chunk is larger: 8 MiB until this is
// called, and again after the dataset's last handle is closed. What is beyond them is written and forgotten.
//
// Errors: BAD_HANDLE, WRONG_KIND (not chunked), IO, FAILED. Any thread.
h5r_status h5r_chunk_cache_set(h5r_object *dataset,
                               uint64_t bytes);

// Writes the attribute `name`, whether it exists or not: `data` are its elements in `type`, which is also its type in
// the file, in row-major order. `rank` 0, with `dims` NULL, is a scalar.
//
// Errors: BAD_HANDLE, ARGUMENT, RANGE, LIMIT, READ_ONLY, FAILED. Any thread.
h5r_status h5r_attr_write(h5r_object *object,
                          const char *name,
                          h5r_type type,
                          size_t rank,
                          const uint64_t *dims,
                          const void *data);

// Writes an attribute that has a type but no value (a null dataspace), whether it exists or not.
//
// Errors: BAD_HANDLE, ARGUMENT, READ_ONLY, FAILED. Any thread.
h5r_status h5r_attr_write_null(h5r_object *object, const char *name, h5r_type type);

// Reads all elements of an attribute, converted to `memory_type`, into `data_out` of `capacity` bytes.
// `h5r_attr_info` says how many there are; an attribute without a value leaves `data_out` as it is.
//
// Errors: BAD_HANDLE, ARGUMENT, NOT_FOUND, TYPE, TOO_SMALL (the message says what is needed), CORRUPT, IO. Any thread.
h5r_status h5r_attr_read(h5r_object *object,
                         const char *name,
                         h5r_type memory_type,
                         void *data_out,
                         size_t capacity);

// Stores an attribute's type, dimensions and size in `info_out`, which the caller initialised with
// H5R_ATTR_DETAILS_INIT.
//
// Errors: BAD_HANDLE, ARGUMENT, NOT_FOUND, CORRUPT, IO. Any thread.
h5r_status h5r_attr_info(h5r_object *object, const char *name, h5r_attr_details *info_out);

// Deletes an attribute.
//
// Errors: BAD_HANDLE, ARGUMENT, NOT_FOUND, READ_ONLY, CORRUPT, IO, FAILED. Any thread.
h5r_status h5r_attr_delete(h5r_object *object, const char *name);

// Gives the attribute `from` the name `to`, which must be free.
//
// Errors: BAD_HANDLE, ARGUMENT, NOT_FOUND, EXISTS, READ_ONLY, CORRUPT, IO, FAILED. Any thread.
h5r_status h5r_attr_rename(h5r_object *object, const char *from, const char *to);

// Stores whether the object has an attribute `name`.
//
// Errors: BAD_HANDLE, ARGUMENT, CORRUPT, IO. Any thread.
h5r_status h5r_attr_exists(h5r_object *object, const char *name, bool *exists_out);

// Stores how many attributes the object has.
//
// Errors: BAD_HANDLE, ARGUMENT, CORRUPT, IO. Any thread.
h5r_status h5r_attr_count(h5r_object *object, uint64_t *count_out);

// Calls `visit` with the name of each attribute that the object has now, in the order H5R_ORDER_...; no lock is held
// meanwhile, so `visit` may call anything on this file but `h5r_close`, also delete the attribute. Another thread that
// closes the file ends the iteration with BAD_HANDLE before the next visit.
//
// Errors: BAD_HANDLE, ARGUMENT (also: creation order is not recorded), RANGE, CALLBACK (`visit` returned a
// negative value), CORRUPT, IO. Any thread; `visit` runs on this one.
h5r_status h5r_attr_iterate(h5r_object *object, int32_t order, h5r_attr_visit visit, void *user_data);

// Deletes the link at `path`, absolute or relative to `loc`. With its last hard link an object goes, and its space is
// free for reuse.
//
// Errors: BAD_HANDLE, ARGUMENT, NOT_FOUND, WRONG_KIND, READ_ONLY, CORRUPT, IO, FAILED. Any thread.
h5r_status h5r_link_delete(h5r_object *loc, const char *path);

// Stores whether there is a link at `path`, absolute or relative to `loc`; a soft link's target need not exist.
//
// Errors: BAD_HANDLE, ARGUMENT, CORRUPT, IO. Any thread.
h5r_status h5r_link_exists(h5r_object *loc, const char *path, bool *exists_out);

// Moves the link at `from`, relative to `loc`, to `to`, relative to `to_loc` of the same file; missing groups on the
// way to `to` are created. The object itself is not touched. `to_loc` may be NULL, which means `loc`. A link that is not hard may
// move to another file.
//
// Errors: BAD_HANDLE, ARGUMENT, NOT_FOUND, EXISTS, WRONG_KIND, READ_ONLY, CORRUPT, IO, FAILED. Any thread.
h5r_status h5r_link_move(h5r_object *loc,
                         const char *from,
                         h5r_object *to_loc,
                         const char *to);

// Creates a soft link at `path`, relative to `loc`, to the path `target`, which need not exist; missing groups on the
// way to `path` are created.
//
// Errors: BAD_HANDLE, ARGUMENT, EXISTS, WRONG_KIND, READ_ONLY, CORRUPT, IO, FAILED. Any thread.
h5r_status h5r_link_create_soft(h5r_object *loc, const char *path, const char *target);

// Creates a hard link at `path`, relative to `loc`, to `target` of the same file; missing groups on the way to `path`
// are created.
//
// Errors: BAD_HANDLE, ARGUMENT, EXISTS, WRONG_KIND, READ_ONLY, CORRUPT, IO, FAILED. Any thread.
h5r_status h5r_link_create_hard(h5r_object *loc, const char *path, h5r_object *target);

// Creates a link at `path`, relative to `loc`, to the object at `target` of the file `file`. Neither need exist. All calls with
// paths follow external links on the way; `h5r_object_open` says how the other file is opened. Missing groups on the way to `path`
// are created.
//
// Errors: BAD_HANDLE, ARGUMENT, EXISTS, WRONG_KIND, LIMIT (more than 65,532 bytes of names), READ_ONLY, CORRUPT, IO,
// FAILED. Any thread.
h5r_status h5r_link_create_external(h5r_object *loc,
                                    const char *path,
                                    const char *file,
                                    const char *target);

// Creates a user-defined link at `path`, relative to `loc`, of type `user_type` (65 to 255) with `length` bytes of
// `data`, which mean something to their maker only: h5r keeps such links and does not follow them. Missing groups on
// the way to `path` are created.
//
// Errors: BAD_HANDLE, ARGUMENT, RANGE, EXISTS, WRONG_KIND, LIMIT (more than 65,535 bytes), READ_ONLY, CORRUPT, IO,
// FAILED. Any thread.
h5r_status h5r_link_create_user(h5r_object *loc,
                                const char *path,
                                int32_t user_type,
                                const void *data,
                                size_t length);

// Stores what the link at `path`, relative to `loc`, says in `buffer` of `capacity` bytes, and its length in
// `length_out`, which may be NULL: of a user-defined link its data, of an external one a byte 0, the file's name and
// the path in it, both with their NUL, and of a soft one its path without NUL. A hard link has 0 bytes. Capacity 0 asks
// for the length only.
//
// Errors: BAD_HANDLE, ARGUMENT, NOT_FOUND, WRONG_KIND, TOO_SMALL, CORRUPT, IO. Any thread.
h5r_status h5r_link_value(h5r_object *loc, const char *path, void *buffer, size_t capacity, size_t *length_out);

// Stores the kind, creation order and character set of the link at `path`, relative to `loc`, in `info_out`, which the caller
// initialised with H5R_LINK_DETAILS_INIT.
//
// Errors: BAD_HANDLE, ARGUMENT, NOT_FOUND, WRONG_KIND, CORRUPT, IO. Any thread.
h5r_status h5r_link_info(h5r_object *loc,
                         const char *path,
                         h5r_link_details *info_out);

// Stores the path that the soft link at `path` leads to, with its NUL, in `buffer` of `capacity` bytes, and its length
// without NUL in `length_out`, which may be NULL. Capacity 0 asks for the length only.
//
// Errors: BAD_HANDLE, ARGUMENT, NOT_FOUND, WRONG_KIND (not a soft link), TOO_SMALL, CORRUPT, IO. Any thread.
h5r_status h5r_link_target(h5r_object *loc, const char *path, char *buffer, size_t capacity, size_t *length_out);

// Stores how many links the group has.
//
// Errors: BAD_HANDLE, ARGUMENT, WRONG_KIND, CORRUPT, IO. Any thread.
h5r_status h5r_link_count(h5r_object *group, uint64_t *count_out);

// Calls `visit` with the name of each link that the group has now, in the order H5R_ORDER_...; no lock is held
// meanwhile, so `visit` may call anything on this file but `h5r_close`, also delete the link. Another thread that
// closes the file ends the iteration with BAD_HANDLE before the next visit.
//
// Errors: BAD_HANDLE, ARGUMENT (also: creation order is not recorded), RANGE, WRONG_KIND, CALLBACK (`visit`
// returned a negative value), CORRUPT, IO. Any thread; `visit` runs on this one.
h5r_status h5r_link_iterate(h5r_object *group, int32_t order, h5r_link_visit visit, void *user_data);

// Makes a reference of a kind, H5R_REF_..., to the object at `path`, relative to `loc`: to the elements of a dataset that
// `selection` selects (NULL: all; of the kinds of regions), or to its attribute `attribute` (of the kind of attributes). Of
// the other kinds these are NULL, or "". The reference goes to `buffer` of `capacity` bytes, its length to `length_out`; capacity 0 asks
// for the length, and makes nothing. A reference to an object has 8 bytes, one of H5R_REF_REGION 12: both are
// elements of their types as they are. An element of the other kinds is a length and a pointer to the bytes.
//
// External links are followed. A reference to another file has the path by which that is open; only the kinds of
// H5R_REF_STANDARD_... lead there.
//
// A reference of H5R_REF_REGION has its selection in the file from here on, also if it is not written to any element.
//
// Errors: BAD_HANDLE, ARGUMENT, RANGE (a selection outside the dataset), NOT_FOUND, WRONG_KIND, TOO_SMALL, LIMIT, READ_ONLY
// (H5R_REF_REGION), CORRUPT, IO, FAILED. Any thread.
h5r_status h5r_reference_create(h5r_object *loc,
                                const char *path,
                                int32_t kind,
                                const h5r_selection *selection_in,
                                const char *attribute,
                                void *buffer,
                                size_t capacity,
                                size_t *length_out);

// Makes a reference of a kind of regions, as h5r_reference_create does, to the elements of the dataset at `path` that are at
// `count` points, in their order. `points` has the `rank` coordinates of one point after the other.
//
// Errors: as h5r_reference_create, ARGUMENT (`rank` is not the dataset's), RANGE (a point outside the dataset). Any thread.
h5r_status h5r_reference_create_points(h5r_object *loc,
                                       const char *path,
                                       int32_t kind,
                                       size_t rank,
                                       size_t count,
                                       const uint64_t *points,
                                       void *buffer,
                                       size_t capacity,
                                       size_t *length_out);

// Opens the object that the `length` bytes of a reference lead to. `loc` is any object of the file. libhdf5 gives all references
// since 1.12 the type of H5R_REF_STANDARD_OBJECT; here and below this kind stands for any of them. A reference to another file has
// its name, which says where it is from the current folder, or else beside this file; it is opened as by h5r_object_open.
//
// Errors: BAD_HANDLE, ARGUMENT, RANGE (the length), NOT_FOUND (a null reference, or no object or file there), NOT_HDF5, LOCKED,
// UNSUPPORTED, CORRUPT, IO. Any thread.
h5r_status h5r_reference_open(h5r_object *loc,
                              int32_t kind,
                              const void *reference,
                              size_t length,
                              h5r_object **object_out);

// Stores a path, with its NUL, of the object that a reference leads to, in its file, in `buffer` of `capacity` bytes, and its length
// without NUL in `length_out`, which may be NULL. Of several paths it is the first one in the order of names. Capacity 0 asks
// for the length only. All of the file is looked through.
//
// Errors: as h5r_reference_open, NOT_FOUND (no path leads there), TOO_SMALL. Any thread.
h5r_status h5r_reference_path(h5r_object *loc,
                              int32_t kind,
                              const void *reference,
                              size_t length,
                              char *buffer,
                              size_t capacity,
                              size_t *length_out);

// Stores the name, with its NUL, of the attribute that a reference of H5R_REF_STANDARD_ATTR refers to in `buffer` of
// `capacity` bytes, and its length without NUL in `length_out`, which may be NULL. Capacity 0 asks for the length only.
//
// Errors: as h5r_reference_open, WRONG_KIND, TOO_SMALL. Any thread.
h5r_status h5r_reference_attribute(h5r_object *loc,
                                   int32_t kind,
                                   const void *reference,
                                   size_t length,
                                   char *buffer,
                                   size_t capacity,
                                   size_t *length_out);

// The elements that a reference to a region refers to: H5R_SELECTED_... in `selected_out`; the coordinates of points, one point
// after the other in their order, or of the first and the last element of each block, in `numbers_out` of `capacity` numbers;
// how many numbers these are in `count_out`. Capacity 0 asks for the number only.
//
// Errors: as h5r_reference_open, WRONG_KIND (no region), TOO_SMALL, LIMIT (more blocks than can be listed). Any thread.
h5r_status h5r_reference_region(h5r_object *loc,
                                int32_t kind,
                                const void *reference,
                                size_t length,
                                int32_t *selected_out,
                                uint64_t *numbers_out,
                                size_t capacity,
                                uint64_t *count_out);

// Sets mode none: deletions move nothing else. Background work has stopped, and no callback comes any more, when this
// returns.
//
// Errors: BAD_HANDLE, READ_ONLY, REENTRANT (called from a rebalancing callback), FAILED. Any thread.
h5r_status h5r_set_none(h5r_file *file);

// Sets mode lazy: when enough nodes are underfull, or the first unserved deletion is old enough, a deleting call works
// a batch off. `options` may be NULL for all defaults. Can be called again at any time to change them.
//
// Errors: BAD_HANDLE, ARGUMENT, RANGE, READ_ONLY, REENTRANT (called from a rebalancing callback), FAILED. Any thread.
h5r_status h5r_set_lazy(h5r_file *file, const h5r_lazy_options *options);

// Sets mode incremental: a background thread works in slices of at most 200 us. Needs lazy to be set first, whose
// tracking it uses. `options` may be NULL for all defaults. `progress` runs on the background thread; it may call
// anything on this file but `h5r_close` and `h5r_set_...`, and does not come after these returned on another thread.
//
// Errors: BAD_HANDLE, ARGUMENT, RANGE, LAZY_REQUIRED, READ_ONLY, REENTRANT (called from a rebalancing callback),
// LIMIT (no thread), FAILED. Any thread.
h5r_status h5r_set_incremental(h5r_file *file, const h5r_incremental_options *options);

// Sets mode smart: h5r watches the operations, chooses among the allowed modes, says why, and follows the workload.
// `options` may be NULL for all defaults. `on_mode_change` may run on a background thread; it may call anything on
// this file but `h5r_close` and `h5r_set_...`, and does not come after these returned on another thread.
//
// Errors: BAD_HANDLE, ARGUMENT, RANGE, READ_ONLY, REENTRANT (called from a rebalancing callback), LIMIT, FAILED. Any
// thread.
h5r_status h5r_set_smart(h5r_file *file, const h5r_smart_options *options);

// Does everything that is due, now, whatever the mode: nodes, heap blocks, what fits back into object headers, and, by the
// next flush, values of variable length in attributes and space inside the file. The file on disk changes with that
// flush. What is damaged is left as it is, the rest is done, and the damage is the error (CORRUPT); the file stays in use.
//
// Errors: BAD_HANDLE, READ_ONLY, CORRUPT, IO, FAILED. Any thread; others can go on meanwhile.
h5r_status h5r_rebalance(h5r_file *file);

// Stores the file's statistics in `stats_out`, which the caller initialised with H5R_REBALANCE_STATS_INIT.
//
// Errors: BAD_HANDLE, ARGUMENT, FAILED. Any thread.
h5r_status h5r_rebalance_status(h5r_file *file, h5r_rebalance_stats *stats_out);

// Checks the file at `path`: every structure that can be reached, with its checksum, its bounds, counts and order;
// reference counts; that no bytes are used twice, used and free, or lost. Damage is no error of this call: it is counted
// in `report_out`, which the caller initialised with H5R_CHECK_REPORT_INIT and which may be NULL, and handed to `visit`,
// which may be NULL and is called without any lock, after the file is closed again. `options` may be NULL for all
// defaults. The file is changed only where the options ask to recover it.
//
// Errors: ARGUMENT, RANGE, NOT_HDF5, UNSUPPORTED, LOCKED, IO, CALLBACK (`visit` returned a negative value; a recovery is
// done nevertheless). Any thread; `visit` runs on this one.
h5r_status h5r_check_path(const char *path,
                          const h5r_check_options *options,
                          h5r_check_report *report_out,
                          h5r_check_visit visit,
                          void *user_data);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* H5R_H */

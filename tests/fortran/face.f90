! The Fortran face: every kind and rank, strings, datasets with sections, links, iteration, modes, callbacks and errors.
module face_support
  use, intrinsic :: iso_c_binding
  use, intrinsic :: iso_fortran_env, only: int8, int16, int32, int64, real32, real64
  use h5r
  use checks
  implicit none
  integer :: visited = 0, seen(2) = 0
  character(len=16) :: names(64)
  integer(c_int), volatile :: sessions = 0
  type(h5r_file) :: background_file
  integer, volatile :: reentrant_status = 0

contains

  integer function collect(name)
    character(*), intent(in) :: name
    visited = visited + 1
    names(visited) = name
    collect = 0
  end function

  integer function collect_groups(path, kind)
    character(*), intent(in) :: path
    integer, intent(in) :: kind
    if (kind == H5R_KIND_GROUP) then
      visited = visited + 1
      names(visited) = path
    end if
    collect_groups = 0
  end function

  integer function stop_at_two(name)
    character(*), intent(in) :: name
    visited = visited + len(name) / len(name)
    stop_at_two = merge(1, 0, visited == 2)
  end function

  integer function fail_at_once(name)
    character(*), intent(in) :: name
    fail_at_once = -len(name)
  end function

  integer function on_finding(severity, kind, address, path, message)
    integer, intent(in) :: severity, kind
    integer(int64), intent(in) :: address
    character(*), intent(in) :: path, message
    if (severity == H5R_SEVERITY_ERROR .and. kind == H5R_FINDING_CHECKSUM .and. address > 0 .and. path == '/' &
      .and. index(message, 'object header') > 0) visited = visited + 1
    on_finding = 0
  end function

  ! Every byte becomes 255 less itself.
  integer(c_int32_t) function turn(parameters, parameter_count, data, length, out, capacity, length_out, user_data) bind(C)
    integer(c_size_t), value :: parameter_count, length, capacity
    integer(c_int32_t), intent(in) :: parameters(parameter_count)
    type(c_ptr), value :: data, out, user_data
    integer(c_size_t), intent(out) :: length_out
    integer(int8), pointer :: from(:), to(:)
    turn = merge(0, 1, parameter_count == 1 .and. .not. c_associated(user_data))
    if (turn == 0) turn = merge(0, 2, parameters(1) == 3)
    length_out = length
    if (length > capacity) return
    call c_f_pointer(data, from, [length])
    call c_f_pointer(out, to, [length])
    to = not(from)
  end function

  subroutine on_progress(progress, user_data) bind(C)
    type(h5r_progress), intent(in) :: progress
    type(c_ptr), value :: user_data
    type(h5r_file) :: file
    integer, pointer :: mark
    call c_f_pointer(user_data, mark)
    file = background_file
    call h5r_set_none(file, reentrant_status)
    ! Counted last: the program looks at the status as soon as there is a session.
    if (mark == 4711 .and. progress%nodes_rebalanced >= 0) sessions = sessions + 1
  end subroutine

  function on_transfer(bytes_done, bytes_total, user_data) result(answer) bind(C)
    integer(c_int64_t), value :: bytes_done, bytes_total
    type(c_ptr), value :: user_data
    integer(c_int32_t) :: answer
    integer, pointer :: calls
    call c_f_pointer(user_data, calls)
    calls = calls + 1
    answer = merge(1, 0, bytes_done > bytes_total .or. calls > 1000)
  end function
end module

program face
  use face_support
  implicit none
  type(h5r_file) :: file

  call h5r_create('face.h5', file)
  call scalars(h5r_root(file))
  call arrays(h5r_root(file))
  call strings(h5r_root(file))
  call datasets(h5r_root(file))
  call links(h5r_root(file))
  call iterations(h5r_root(file))
  call errors(file)
  call h5r_check(file)
  call h5r_close(file)
  call check(.not. c_associated(file%handle), 'closing sets the handle to NULL')
  call h5r_open('face.h5', file)
  call arrays(h5r_root(file))
  call h5r_close(file)
  call types()
  call modes()
  call checking()
  call parts()
  call filters()
  print '(a)', 'all held'

contains

  subroutine parts()
    type(h5r_file) :: file
    type(h5r_object) :: grid, chunked
    type(h5r_dataset_options) :: options
    type(h5r_chunk_cache_details) :: details
    real(c_float), allocatable, target :: values(:, :)
    real(c_float), target :: list(4), memory(5, 4)
    integer(c_int64_t), target :: ten(1)
    integer(c_int32_t), target :: one
    integer, target :: calls
    integer :: i, status
    allocate (values(1000, 600))
    values = reshape([(real(i), i=1, 600000)], [1000, 600])
    call h5r_create('parts.h5', file)
    call h5r_dataset_create(h5r_root(file), 'grid', H5R_F32, [1000, 600], grid)
    calls = 0
    call h5r_set_progress(file, c_funloc(on_transfer), c_loc(calls))
    call h5r_dataset_write(grid, values)
    call check(calls >= 2, 'told of a long call')
    calls = 1000
    call h5r_dataset_write(grid, values, status=status)
    call check(status == H5R_ERR_CALLBACK, 'a long call that is ended')
    call h5r_set_progress(file, c_null_funptr)
    call h5r_dataset_write(grid, values)
    ! Two neighbours in the third column, and every second one of a row.
    call h5r_dataset_read_list(grid, H5R_F32, [h5r_part(start=[7, 3], count=[2, 1]), &
      h5r_part(start=[9, 4], count=[1, 2], stride=[1, 2])], c_loc(list))
    call check(all(nint(list) == nint([values(7:8, 3), values(9, 4:6:2)])), 'a list of parts')
    list = -list
    call h5r_dataset_write_list(grid, H5R_F32, [h5r_part(start=[7, 3], count=[2, 1]), &
      h5r_part(start=[9, 4], count=[1, 2], stride=[1, 2])], c_loc(list))
    values(7:8, 3) = -values(7:8, 3)
    values(9, 4:6:2) = -values(9, 4:6:2)
    memory = 1
    call h5r_dataset_read_into(grid, H5R_F32, h5r_part(start=[7, 3], block=[3, 2], count=[1, 1]), [5, 4], &
      h5r_part(start=[2, 2], block=[3, 2], count=[1, 1]), c_loc(memory))
    call check(all(nint(memory(2:4, 2:3)) == nint(values(7:9, 3:4))) .and. nint(sum(memory)) &
      == nint(sum(values(7:9, 3:4))) + 14, 'a part of an array')
    memory(3, 2) = 5
    call h5r_dataset_write_from(grid, H5R_F32, h5r_part(start=[7, 3], block=[3, 2], count=[1, 1]), [5, 4], &
      h5r_part(start=[2, 2], block=[3, 2], count=[1, 1]), c_loc(memory))
    values(8, 3) = 5
    call h5r_dataset_read_list(grid, H5R_F32, [h5r_part(start=[7, 3], count=[2, 2])], c_loc(list))
    call check(all(nint(list) == nint([values(7:8, 3), values(7:8, 4)])), 'a part that was written')
    call h5r_dataset_read_list(grid, H5R_F32, [h5r_part(start=[1000, 600], count=[2, 2])], c_loc(list), status)
    call check(status == H5R_ERR_RANGE, 'a part outside')
    call h5r_dataset_read_list(grid, H5R_F32, [h5r_part(start=[7, 3], count=[2])], c_loc(list), status)
    call check(status == H5R_ERR_RANGE, 'a part of two ranks')
    ten = 10
    options%layout = H5R_LAYOUT_CHUNKED
    options%chunk = c_loc(ten)
    call h5r_dataset_create(h5r_root(file), 'chunked', H5R_I32, [100], chunked, options)
    call h5r_chunk_cache_set(chunked, 1000_c_int64_t)
    one = 1
    call h5r_dataset_write_list(chunked, H5R_I32, [h5r_part(start=[5], count=[1])], c_loc(one))
    call h5r_chunk_cache_info(chunked, details)
    call check(details%bound == 1000 .and. details%chunks == 1 .and. details%unwritten == 1, 'the cache of chunks')
    call h5r_close(file)
  end subroutine

  subroutine scalars(root)
    type(h5r_object), intent(in) :: root
    integer(int8) :: i8
    integer(int16) :: i16
    integer(int32) :: i32
    integer(int64) :: i64
    real(real32) :: r32
    real(real64) :: r64
    logical :: exists
    integer(int64) :: count
    call h5r_attr_write(root, 'i8', -5_int8)
    call h5r_attr_write(root, 'i16', 300_int16)
    call h5r_attr_write(root, 'i32', 70000_int32)
    call h5r_attr_write(root, 'i64', 2_int64**40)
    call h5r_attr_write(root, 'r32', 1.5_real32)
    call h5r_attr_write(root, 'r64', -2.25_real64)
    call h5r_attr_read(root, 'i8', i8)
    call h5r_attr_read(root, 'i16', i16)
    call h5r_attr_read(root, 'i32', i32)
    call h5r_attr_read(root, 'i64', i64)
    call h5r_attr_read(root, 'r32', r32)
    call h5r_attr_read(root, 'r64', r64)
    call check(i8 == -5 .and. i16 == 300 .and. i32 == 70000 .and. i64 == 2_int64**40, 'integers')
    call check(abs(r32 - 1.5) <= 0 .and. abs(r64 + 2.25_real64) <= 0, 'reals')
    call h5r_attr_read(root, 'i8', r64)
    call check(abs(r64 + 5) <= 0, 'conversion')
    call h5r_attr_exists(root, 'i8', exists)
    call check(exists, 'exists')
    call h5r_attr_rename(root, 'i8', 'renamed  ')
    call h5r_attr_exists(root, 'renamed', exists)
    call check(exists, 'renamed')
    call h5r_attr_delete(root, 'renamed')
    call h5r_attr_count(root, count)
    call check(count == 5, 'count')
  end subroutine

  subroutine arrays(root)
    type(h5r_object), intent(in) :: root
    integer(int32) :: matrix(2, 3), back(2, 3)
    real(real64) :: four(2, 2, 2, 2), four_back(2, 2, 2, 2), line(6), part(3)
    integer(int16) :: cube(1, 2, 3), cube_back(1, 2, 3)
    type(h5r_info) :: info
    integer :: i
    matrix = reshape([1, 2, 3, 4, 5, 6], [2, 3])
    four = reshape([(real(i, real64) / 3, i=1, 16)], [2, 2, 2, 2])
    cube = reshape([(int(i, int16), i=1, 6)], [1, 2, 3])
    line = [(real(i, real64), i=1, 6)]
    call h5r_attr_write(root, 'matrix', matrix)
    call h5r_attr_write(root, 'four', four)
    call h5r_attr_write(root, 'cube', cube)
    call h5r_attr_write(root, 'every second', line(::2))
    call h5r_attr_read(root, 'matrix', back)
    call h5r_attr_read(root, 'four', four_back)
    call h5r_attr_read(root, 'cube', cube_back)
    call h5r_attr_read(root, 'every second', part)
    call check(all(matrix == back) .and. all(abs(four - four_back) <= 0) .and. all(cube == cube_back), 'arrays')
    call check(all(abs(part - [1, 3, 5]) <= 0), 'a section with gaps')
    line = 0
    call h5r_attr_read(root, 'every second', line(2::2))
    call check(all(abs(line - [0, 1, 0, 3, 0, 5]) <= 0), 'read into a section with gaps')
    call h5r_attr_info(root, 'matrix', info)
    call check(size(info%dims) == 2 .and. all(info%dims == [2, 3]) .and. info%type == H5R_I32, 'dims in Fortran order')
    call h5r_type_close(info%type)
  end subroutine

  subroutine strings(root)
    type(h5r_object), intent(in) :: root
    character(len=10) :: text
    character(len=3) :: short
    character(len=4) :: words(3), words_back(3)
    call h5r_attr_write(root, 'text', 'hello')
    call h5r_attr_read(root, 'text', text)
    call check(text == 'hello', 'string')
    call h5r_attr_read(root, 'text', short)
    call check(short == 'hel', 'cut string')
    call h5r_attr_write(root, 'empty', '')
    call h5r_attr_read(root, 'empty', text)
    call check(text == '', 'empty string')
    words = ['one ', 'two ', 'four']
    call h5r_attr_write(root, 'words', words)
    call h5r_attr_read(root, 'words', words_back)
    call check(all(words == words_back), 'strings')
  end subroutine

  integer function each_chunk(offset, size, filter_mask)
    integer(int64), intent(in) :: offset(:), size
    integer, intent(in) :: filter_mask
    each_chunk = 0
    if (all(offset == [1_int64, 1_int64, int(seen(1) + 1, int64)])) seen(1) = seen(1) + 1
    if (size == 48 .and. filter_mask == 0) seen(2) = seen(2) + 1
  end function

  ! Values of fewer dimensions than `start` are sections; sizes that do not agree are refused; rows are appended.
  subroutine other_ranks(root)
    type(h5r_object), intent(in) :: root
    type(h5r_object) :: dataset
    type(h5r_dataset_options) :: options
    integer(c_int64_t), target :: chunk(3), most(3)
    type(h5r_info) :: info
    integer(int64), allocatable :: extents(:)
    integer(int32) :: plane(4, 3), all_steps(4, 3, 4), column(3), line(12)
    integer :: i
    chunk = [1, 3, 4]
    most = [H5R_UNLIMITED, 3_c_int64_t, 4_c_int64_t]
    options%layout = H5R_LAYOUT_CHUNKED
    options%chunk = c_loc(chunk)
    options%max_dims = c_loc(most)
    plane = reshape([(i, i=1, 12)], [4, 3])
    call h5r_dataset_create(root, 'steps', H5R_I32, [4_int64, 3_int64, 0_int64], dataset, options)
    call h5r_dataset_append(dataset, plane)
    call h5r_dataset_append(dataset, reshape([plane + 100, plane + 200], [4, 3, 2]))
    call h5r_dataset_append(dataset, plane + 300)
    call h5r_dataset_write(dataset, plane + 1000, start=[1, 1, 2])
    call h5r_dataset_read(dataset, all_steps)
    call check(all(all_steps == reshape([plane, plane + 1000, plane + 200, plane + 300], [4, 3, 4])), 'appended steps')
    call h5r_dataset_read(dataset, column, start=[2, 3, 4])
    call check(all(column == plane(2:4, 3) + 300), 'a column of a step')
    call h5r_dataset_info(dataset, info)
    call check(all(info%dims == [4, 3, 4]) .and. all(info%max_dims == [4_int64, 3_int64, H5R_UNLIMITED]), 'bounds')
    seen = 0
    call h5r_chunk_iterate(dataset, each_chunk)
    call check(all(seen == 4), 'each chunk once')
    call h5r_dataset_dims(dataset, extents)
    call check(all(extents == [4, 3, 4]), 'dimensions')
    call h5r_dataset_append(dataset, plane(:, :2), i)
    call check(i == H5R_ERR_ARGUMENT, 'a part of a row is refused')
    call h5r_dataset_append(dataset, 1, i)
    call check(i == H5R_ERR_ARGUMENT, 'a scalar is no row of planes')
    call h5r_dataset_set_extent(dataset, [4_int64, 3_int64, 2_int64])
    call h5r_object_close(dataset)
    call h5r_dataset_create(root, 'line', H5R_I32, [12], dataset)
    call h5r_dataset_write(dataset, [(i, i=1, 12)])
    plane = -1
    call h5r_dataset_read(dataset, plane, start=[1], status=i)
    call check(i == H5R_ERR_ARGUMENT .and. all(plane == -1), 'a start of fewer dimensions than the value is refused')
    call h5r_dataset_read(dataset, line, start=[1], stride=[1, 1], status=i)
    call check(i == H5R_ERR_ARGUMENT, 'a stride of other dimensions is refused')
    call h5r_dataset_read(dataset, line, start=[1, 1], status=i)
    call check(i == H5R_ERR_ARGUMENT, 'a start of more dimensions than the dataset is refused')
    call h5r_object_close(dataset)
  end subroutine

  subroutine datasets(root)
    type(h5r_object), intent(in) :: root
    type(h5r_object) :: dataset
    type(h5r_info) :: info
    type(h5r_dataset_options) :: options
    real(real32) :: field(4, 3), field_back(4, 3), line(4)
    integer(int32) :: corner(2, 2), scalar
    integer :: i, kind
    field = reshape([(real(i, real32), i=1, 12)], [4, 3])
    call h5r_dataset_create(root, 'made/field', H5R_F64, shape(field), dataset)
    call h5r_dataset_write(dataset, field)
    call h5r_dataset_read(dataset, field_back)
    call check(all(abs(field - field_back) <= 0), 'dataset')
    call h5r_dataset_info(dataset, info)
    call check(all(info%dims == [4, 3]) .and. info%layout == H5R_LAYOUT_CONTIGUOUS, 'dataset info')
    call h5r_dataset_read(dataset, corner, start=[3, 2])
    call check(all(corner == reshape([7, 8, 11, 12], [2, 2])), 'a part of a dataset')
    call h5r_dataset_read(dataset, corner, start=[1, 1], stride=[3, 2])
    call check(all(corner == reshape([1, 4, 9, 12], [2, 2])), 'every third and second')
    call h5r_dataset_write(dataset, reshape([real(real64) :: 70, 80], [2, 1]), start=[2, 3])
    call h5r_dataset_read(dataset, field_back)
    call check(abs(field_back(2, 3) - 70) <= 0 .and. abs(field_back(3, 3) - 80) <= 0, 'a written part')
    call h5r_attr_write(dataset, 'units', 'K')
    call h5r_object_kind(dataset, kind)
    call check(kind == H5R_KIND_DATASET, 'kind')
    call h5r_dataset_read(dataset, line, status=i)
    call check(i == H5R_ERR_ARGUMENT .or. i == H5R_ERR_RANGE, 'another rank is refused')
    call h5r_dataset_read(dataset, corner, start=[4, 3], status=i)
    call check(i == H5R_ERR_RANGE, 'outside is refused')
    call h5r_object_close(dataset)
    call other_ranks(root)
    call h5r_dataset_create(root, 'scalar', H5R_I32, [integer ::], dataset)
    call h5r_dataset_write(dataset, 12)
    call h5r_dataset_read(dataset, scalar)
    call check(scalar == 12, 'scalar dataset')
    call h5r_object_close(dataset)
    options%layout = H5R_LAYOUT_COMPACT
    call h5r_dataset_create(root, 'compact', H5R_I8, [3], dataset, options)
    call h5r_dataset_info(dataset, info)
    call check(info%layout == H5R_LAYOUT_COMPACT, 'options')
    call h5r_object_close(dataset)
  end subroutine

  subroutine links(root)
    type(h5r_object), intent(in) :: root
    type(h5r_object) :: group, same
    logical :: exists
    integer(int64) :: count
    type(h5r_object_details) :: info
    character(:), allocatable :: comment
    integer(int8), allocatable :: reference(:), bytes(:)
    character(:), allocatable :: text
    type(h5r_link_details) :: link
    type(h5r_info) :: nothing
    integer :: status
    call h5r_group_create(root, 'links', group)
    call h5r_link_create_soft(group, 'soft', '/made')
    call h5r_object_open(root, 'made/field', same)
    call h5r_link_create_hard(group, 'hard', same)
    call h5r_object_close(same)
    call h5r_link_move(group, 'hard', root, 'moved/hard')
    call h5r_link_exists(root, 'moved/hard', exists)
    call check(exists, 'moved')
    call h5r_link_count(group, count)
    call check(count == 1, 'link count')
    visited = 0
    call h5r_link_iterate(group, H5R_ORDER_NAME, collect)
    call check(visited == 1 .and. names(1) == 'soft', 'link iteration')
    call h5r_link_target(group, 'soft', text)
    call check(text == '/made', 'link target')
    call h5r_link_info(group, 'soft', link)
    call check(link%kind == H5R_LINK_SOFT .and. link%creation_order == H5R_NO_CREATION_ORDER, 'link info')
    call h5r_link_create_user(group, 'user', 70, [1_int8, 2_int8])
    call h5r_link_value(group, 'user', bytes)
    call check(size(bytes) == 2 .and. all(bytes == [1, 2]), 'link value')
    call h5r_link_info(group, 'user', link)
    call check(link%kind == H5R_LINK_USER .and. link%user_type == 70, 'user-defined link')
    call h5r_link_delete(group, 'user')
    call h5r_object_path(group, text)
    call check(text == '/links', 'path')
    call h5r_attr_write_null(group, 'nothing', H5R_I32)
    call h5r_attr_info(group, 'nothing', nothing)
    call check(nothing%space == H5R_SPACE_NULL, 'an attribute without a value')
    call h5r_attr_delete(group, 'nothing')
    call check(h5r_version_number() > 0, 'version')
    call h5r_link_delete(group, 'soft')
    call h5r_link_target(group, 'soft', text, status)
    call check(status == H5R_ERR_NOT_FOUND, 'no link')
    call h5r_link_exists(group, 'soft', exists)
    call check(.not. exists, 'deleted')
    call h5r_link_create_external(group, 'outside', 'other.h5', '/there')
    call h5r_object_set_comment(group, 'a comment')
    call h5r_object_comment(group, comment)
    call check(comment == 'a comment', 'comment')
    call h5r_object_info(group, info)
    call check(info%kind == H5R_KIND_GROUP .and. info%link_count == 1 .and. info%references == 1, 'object info')
    call check(info%header_bytes > 0 .and. info%birth_time /= H5R_NO_TIME, 'object info: space and times')
    call h5r_object_info(root, info, 'moved/hard')
    call check(info%kind == H5R_KIND_DATASET .and. info%references == 2 .and. info%raw_bytes == 96, 'info by path')
    visited = 0
    call h5r_object_visit(root, H5R_ORDER_NAME, collect_groups)
    call check(visited == 4 .and. all(names(:4) == [character(16) :: '.', 'links', 'made', 'moved']), 'visit')
    call h5r_reference_create(root, 'moved/hard', H5R_REF_OBJECT, reference)
    call check(size(reference) == 8, 'a reference')
    call h5r_reference_open(root, H5R_REF_OBJECT, reference, same)
    call h5r_reference_path(same, H5R_REF_OBJECT, reference, comment)
    call check(comment == '/made/field', 'the path of a reference')
    call h5r_object_close(same)
    call h5r_reference_create(root, 'made/field', H5R_REF_STANDARD_REGION, reference)
    call h5r_reference_path(root, H5R_REF_STANDARD_REGION, reference, comment)
    call check(comment == '/made/field', 'the path of a region')
    call h5r_object_copy(root, 'made', group, 'copied')
    call h5r_object_info(root, info, 'links/copied/field')
    call check(info%kind == H5R_KIND_DATASET .and. info%references == 1 .and. info%raw_bytes == 96, 'copied')
    call h5r_object_copy(root, 'made', root, 'links/bare', h5r_copy_options(shallow=1, without_attributes=1))
    call h5r_object_info(root, info, 'links/bare')
    call check(info%attribute_count == 0, 'copied with options')
    call h5r_object_close(group)
  end subroutine

  subroutine iterations(root)
    type(h5r_object), intent(in) :: root
    type(h5r_object) :: group
    type(h5r_group_options) :: options
    integer :: i, status
    character(len=4) :: name
    options%attributes%creation_order = H5R_CREATION_ORDER_INDEXED
    call h5r_group_create(root, 'ordered', group, options)
    do i = 1, 20
      write (name, '(a, i2.2)') 'n', mod(7 * i, 20)
      call h5r_attr_write(group, name, i)
    end do
    visited = 0
    call h5r_attr_iterate(group, H5R_ORDER_CREATION, collect)
    call check(visited == 20 .and. names(1) == 'n07' .and. names(2) == 'n14', 'creation order')
    visited = 0
    call h5r_attr_iterate(group, H5R_ORDER_NAME, collect)
    call check(names(1) == 'n00' .and. names(20) == 'n19', 'name order')
    visited = 0
    call h5r_attr_iterate(group, H5R_ORDER_NATIVE, stop_at_two)
    call check(visited == 2, 'stopped')
    call h5r_attr_iterate(group, H5R_ORDER_NATIVE, fail_at_once, status)
    call check(status == H5R_ERR_CALLBACK, 'failed')
    call h5r_object_close(group)
  end subroutine

  subroutine errors(open_file)
    type(h5r_file), intent(in) :: open_file
    type(h5r_object) :: nothing, object
    type(h5r_lazy_options) :: options
    type(h5r_file) :: other
    integer :: status, value
    call h5r_attr_write(nothing, 'a', 1, status)
    call check(status == H5R_ERR_BAD_HANDLE, 'a NULL handle')
    call check(h5r_status_name(status) == 'H5R_ERR_BAD_HANDLE', 'status name')
    call h5r_attr_read(h5r_root(open_file), 'absent', value, status)
    call check(status == H5R_ERR_NOT_FOUND .and. index(h5r_last_error(), 'absent') > 0, 'absent')
    call h5r_object_open(h5r_root(open_file), 'no/where', object, status)
    call check(status == H5R_ERR_NOT_FOUND .and. .not. c_associated(object%handle), 'nowhere')
    options%threshold = 0.5_c_double
    call h5r_set_lazy(open_file, options, status)
    call check(status == H5R_ERR_RANGE .and. index(h5r_last_error(), '0.01..0.20') > 0, 'range')
    call h5r_open('absent.h5', other, status=status)
    call check(status /= H5R_OK .and. index(h5r_last_error(), 'absent.h5') > 0, 'absent file')
    call check(len(h5r_version()) >= 5, 'version')
  end subroutine

  subroutine checking()
    type(h5r_file) :: checked
    type(h5r_check_report) :: report
    type(h5r_check_options) :: options
    integer :: status, unit
    integer(int64) :: length
    character :: last
    call h5r_create('check.h5', checked)
    call h5r_close(checked)
    call h5r_check_path('check.h5', report)
    call check(report%errors == 0 .and. report%groups == 1 .and. report%allocated_bytes == report%file_bytes, 'sound')
    open (newunit=unit, file='check.h5', access='stream', form='unformatted')
    inquire (unit=unit, size=length)
    read (unit, pos=length) last
    write (unit, pos=length) char(ieor(ichar(last), 1))
    close (unit)
    visited = 0
    call h5r_check_path('check.h5', report, on_finding)
    call check(report%errors == 1 .and. visited == 1, 'a finding')
    options%recover = 2
    call h5r_check_path('check.h5', report, options=options, status=status)
    call check(status == H5R_ERR_RANGE, 'options are checked')
    call h5r_check_path('absent.h5', report, status=status)
    call check(status == H5R_ERR_IO, 'an absent file')
  end subroutine

  subroutine types()
    type, bind(C) :: point
      real(c_float) :: x
      integer(c_int16_t) :: kind
    end type
    type(point), target :: points(2), back(2)
    type(h5r_file) :: file
    type(h5r_object) :: root, named, dataset
    integer(c_int64_t) :: compound, kinds, shared, array, base
    integer(c_int64_t), allocatable :: extents(:)
    integer(c_int16_t), target :: value
    integer(c_size_t) :: offset
    integer :: count, status
    character(:), allocatable :: name
    logical :: equal
    call h5r_create('types.h5', file)
    root = h5r_root(file)
    call h5r_type_enum(H5R_I16, kinds)
    value = 1_c_int16_t
    call h5r_type_enum_insert(kinds, 'near', c_loc(value))
    value = -7_c_int16_t
    call h5r_type_enum_insert(kinds, 'far', c_loc(value))
    call h5r_type_compound(c_sizeof(points(1)), compound)
    call h5r_type_insert(compound, 'x', 0_c_size_t, H5R_F32)
    call h5r_type_insert(compound, 'kind', 4_c_size_t, kinds)
    call h5r_type_insert(compound, 'y', 2_c_size_t, H5R_F32, status)
    call check(status == H5R_ERR_RANGE, 'members do not overlap')
    call h5r_type_member_count(compound, count)
    call h5r_type_member_name(compound, 2, name)
    call check(count == 2 .and. name == 'kind', 'members')
    call h5r_type_member(compound, 2, offset, base)
    call h5r_type_equal(base, kinds, equal)
    call check(offset == 4 .and. equal, 'a member')
    call h5r_type_enum_value(base, 2, c_loc(value))
    call check(value == -7, 'a value')
    call h5r_type_array(compound, [2, 3], array)
    call h5r_type_dims(array, extents)
    call check(all(extents == [2, 3]), 'dimensions')
    call h5r_type_commit(root, 'types/point', compound, named)
    call h5r_object_type(named, shared)
    call h5r_type_is_committed(shared, equal)
    call check(equal, 'a named datatype')
    points = [point(1.5, 1_c_int16_t), point(2.5, -7_c_int16_t)]
    call h5r_dataset_create(root, 'points', shared, [2], dataset)
    call h5r_dataset_write_as(dataset, compound, c_loc(points))
    call h5r_dataset_read_as(dataset, compound, c_loc(back))
    call check(all(nint(2 * back%x) == [3, 5]) .and. all(back%kind == points%kind), 'compounds')
    call h5r_close(file)
  end subroutine

  subroutine modes()
    type(h5r_file) :: busy
    type(h5r_incremental_options) :: options
    type(h5r_rebalance_stats) :: stats
    type(h5r_object) :: root
    integer, target :: mark
    integer :: i, status, start, now, rate
    integer(int64) :: count
    character(len=16) :: name
    mark = 4711
    call h5r_create('modes.h5', busy)
    background_file = busy
    root = h5r_root(busy)
    call h5r_set_incremental(busy, status=status)
    call check(status == H5R_ERR_LAZY_REQUIRED, 'lazy required')
    call h5r_set_lazy(busy)
    options%interval_ms = 1
    options%progress = c_funloc(on_progress)
    options%user_data = c_loc(mark)
    call h5r_set_incremental(busy, options)
    do i = 1, 2000
      write (name, '(a, i6.6)') 'attr', i
      call h5r_attr_write(root, name, i)
    end do
    do i = 1, 2000
      write (name, '(a, i6.6)') 'attr', i
      if (mod(i, 4) /= 0) call h5r_attr_delete(root, name)
    end do
    call system_clock(start, rate)
    do
      call system_clock(now)
      if (sessions > 0 .or. now - start > 5 * rate) exit
    end do
    call check(sessions > 0 .and. reentrant_status == H5R_ERR_REENTRANT, 'callback on the background thread')
    call h5r_set_smart(busy)
    call h5r_set_none(busy)
    call h5r_rebalance(busy)
    call h5r_rebalance_status(busy, stats)
    call check(stats%mode == H5R_MODE_NONE .and. stats%deletes == 1500 .and. stats%file_bytes > 0, 'statistics')
    call h5r_flush(busy)
    call h5r_close(busy)
    call h5r_open('modes.h5', busy)
    call h5r_attr_count(h5r_root(busy), count)
    call check(count == 500, 'survivors')
    call h5r_attr_read(h5r_root(busy), 'attr002000', i)
    call check(i == 2000, 'a survivor')
    call h5r_close(busy)
  end subroutine

  subroutine filters()
    type(h5r_file) :: file
    type(h5r_object) :: dataset
    type(h5r_dataset_options) :: options
    type(h5r_filter), target :: list(1)
    integer(c_int32_t), target :: parameters(1)
    integer(c_int64_t), target :: chunk(1)
    integer(int32) :: values(10), found(10)
    integer :: i, status
    call h5r_create('filters.h5', file)
    call h5r_filter_register(40125_c_int32_t, 'turned', c_funloc(turn), c_funloc(turn))
    parameters = 3
    chunk = 5
    list(1)%id = 40125
    list(1)%parameters = c_loc(parameters)
    list(1)%parameter_count = 1
    options%layout = H5R_LAYOUT_CHUNKED
    options%chunk = c_loc(chunk)
    options%filters = c_loc(list)
    options%filter_count = 1
    values = [(i, i=1, 10)]
    call h5r_dataset_create(h5r_root(file), 'turned', H5R_I32, [10], dataset, options)
    call h5r_dataset_write(dataset, values)
    call h5r_dataset_read(dataset, found)
    call check(all(found == values), 'a filter of Fortran''s')
    call h5r_filter_unregister(40125_c_int32_t)
    call h5r_flush(file)
    call h5r_object_close(dataset)
    call h5r_object_open(h5r_root(file), 'turned', dataset)
    call h5r_dataset_read(dataset, found, status=status)
    call check(status == H5R_ERR_UNSUPPORTED, 'no one has registered it')
    call h5r_object_close(dataset)
    call h5r_close(file)
  end subroutine
end program

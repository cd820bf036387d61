! What an attribute's values are read into has its size; logical and complex values of every rank.
program values
  use, intrinsic :: iso_c_binding
  use, intrinsic :: iso_fortran_env, only: int8, int16, int32, int64, real32, real64
  use h5r
  use checks
  implicit none
  type(h5r_file) :: file
  type(h5r_object) :: root
  integer :: status

  call h5r_create('values_f.h5', file)
  root = h5r_root(file)
  call sizes()
  call kinds_and_ranks()
  call sizes_of_datasets()
  call logical_attributes()
  call logical_datasets()
  call logical_from_others()
  call complex_values()
  call complex_from_others()
  call types_of_failed_calls()
  call h5r_check(file)
  call h5r_close(file)

contains

  ! The call before was refused with this status and a message that says all of these.
  subroutine refused(expected, one, other)
    integer, intent(in) :: expected
    character(*), intent(in) :: one, other
    call check(status == expected .and. index(h5r_last_error(), one) > 0 .and. index(h5r_last_error(), other) > 0, &
      h5r_status_name(expected)//' with '//one//' and '//other//', not '//h5r_status_name(status))
  end subroutine

  ! The types that calls make for themselves are closed when the call fails, too: the next one made has the place of the last.
  subroutine types_of_failed_calls()
    integer(int64), parameter :: PLACE = int(z'ffffffff', int64)
    integer(int64) :: first, last, open
    type(h5r_string), allocatable :: words(:)
    type(h5r_int64_sequence), allocatable :: numbers(:)
    character(4) :: word
    call h5r_attr_write(root, 'number', 5)
    allocate (numbers(1))
    numbers(1)%values = [1_int64]
    call h5r_type_logical(first)
    open = first
    call h5r_type_close(open)
    allocate (words(1))
    words(1)%value = 'some'
    call h5r_attr_write(root, '', 'some', status)
    call refused(H5R_ERR_ARGUMENT, 'name', '0')
    call h5r_attr_write_variable(root, '', words, status)
    call refused(H5R_ERR_ARGUMENT, 'name', '0')
    call h5r_attr_write_variable(root, '', numbers, status)
    call refused(H5R_ERR_ARGUMENT, 'name', '0')
    call h5r_attr_read(root, 'number', word, status)
    call refused(H5R_ERR_TYPE, 'integer', 'string')
    call h5r_attr_read_variable(root, 'number', words, status)
    call refused(H5R_ERR_TYPE, 'integer', 'string')
    call h5r_attr_read_variable(root, 'number', numbers, status)
    call refused(H5R_ERR_TYPE, 'integer', 'sequence')
    call h5r_type_logical(last)
    open = last
    call h5r_type_close(open)
    call check(iand(first, PLACE) == iand(last, PLACE), 'failed calls leave no types open')
  end subroutine

  subroutine sizes()
    integer :: one, single(1), three(3), five(5), six(6), two_by_three(2, 3), three_by_two(3, 2)
    integer :: none(0)
    character(4) :: words(2), word
    call h5r_attr_write(root, 'three', [1, 2, 3])
    five = 7
    call h5r_attr_read(root, 'three', five, status)
    call refused(H5R_ERR_ARGUMENT, '[3]', '[5]')
    call check(index(h5r_last_error(), 'three') > 0 .and. all(five == 7), 'nothing is read of what does not fit')
    call h5r_attr_read(root, 'three', single, status)
    call refused(H5R_ERR_TOO_SMALL, '[3]', '[1]')
    call h5r_attr_read(root, 'three', one, status)
    call refused(H5R_ERR_TOO_SMALL, '[3]', '[]')
    call h5r_attr_read(root, 'three', none, status)
    call refused(H5R_ERR_TOO_SMALL, '[3]', '[0]')
    call h5r_attr_read(root, 'three', five(2:4))
    call check(all(five == [7, 1, 2, 3, 7]), 'a part of an array is filled')
    ! As many elements in another rank are the same elements; another shape of the same rank is another value.
    call h5r_attr_write(root, 'matrix', reshape([1, 2, 3, 4, 5, 6], [2, 3]))
    call h5r_attr_read(root, 'matrix', two_by_three)
    call h5r_attr_read(root, 'matrix', six)
    call check(all(six == [1, 2, 3, 4, 5, 6]) .and. all(two_by_three == reshape(six, [2, 3])), 'a matrix in a line')
    call h5r_attr_read(root, 'matrix', three_by_two, status)
    call refused(H5R_ERR_ARGUMENT, '[2, 3]', '[3, 2]')
    call h5r_attr_read(root, 'matrix', three, status)
    call refused(H5R_ERR_TOO_SMALL, '[2, 3]', '[3]')
    ! A scalar and an array of one.
    call h5r_attr_write(root, 'scalar', 5)
    call h5r_attr_write(root, 'single', [6])
    call h5r_attr_read(root, 'scalar', single)
    call h5r_attr_read(root, 'single', one)
    call check(single(1) == 5 .and. one == 6, 'a scalar and an array of one')
    call h5r_attr_read(root, 'scalar', three, status)
    call refused(H5R_ERR_ARGUMENT, '[]', '[3]')
    ! No elements, and no value.
    call h5r_attr_write(root, 'none', none)
    call h5r_attr_read(root, 'none', none)
    call h5r_attr_read(root, 'none', one, status)
    call refused(H5R_ERR_ARGUMENT, '[0]', '[]')
    call h5r_attr_write_null(root, 'null', H5R_I32)
    call h5r_attr_read(root, 'null', none)
    call h5r_attr_read(root, 'null', one, status)
    call refused(H5R_ERR_ARGUMENT, 'without a value', '[]')
    ! Strings.
    call h5r_attr_write(root, 'words', ['one ', 'two ', 'four'])
    call h5r_attr_read(root, 'words', words, status)
    call refused(H5R_ERR_TOO_SMALL, '[3]', '[2]')
    call h5r_attr_read(root, 'words', word, status)
    call refused(H5R_ERR_TOO_SMALL, '[3]', '[]')
    call h5r_attr_write(root, 'word', ['lone'])
    call h5r_attr_read(root, 'word', words, status)
    call refused(H5R_ERR_ARGUMENT, '[1]', '[2]')
    call h5r_attr_read(root, 'word', word)
    call check(word == 'lone', 'one string of an array of one')
    call h5r_attr_write_variable(root, 'word', ['lone'])
    call h5r_attr_read(root, 'word', words, status)
    call refused(H5R_ERR_ARGUMENT, '[1]', '[2]')
    call h5r_attr_read(root, 'word', word)
    call check(word == 'lone', 'one string of variable length')
  end subroutine

  ! Of each kind one rank, and of each rank one kind.
  subroutine kinds_and_ranks()
    integer(int8) :: i8(2)
    integer(int16) :: i16(2, 2)
    integer(int64) :: i64(1, 2, 2)
    real(real32) :: r32(2, 1, 2, 1)
    real(real64) :: r64(2)
    call h5r_attr_write(root, 'one', [1])
    call h5r_attr_read(root, 'one', i8, status)
    call refused(H5R_ERR_ARGUMENT, '[1]', '[2]')
    call h5r_attr_read(root, 'one', i16, status)
    call refused(H5R_ERR_ARGUMENT, '[1]', '[2, 2]')
    call h5r_attr_read(root, 'one', i64, status)
    call refused(H5R_ERR_ARGUMENT, '[1]', '[1, 2, 2]')
    call h5r_attr_read(root, 'one', r32, status)
    call refused(H5R_ERR_ARGUMENT, '[1]', '[2, 1, 2, 1]')
    call h5r_attr_read(root, 'one', r64, status)
    call refused(H5R_ERR_ARGUMENT, '[1]', '[2]')
  end subroutine

  ! Of a dataset a part can be read, and nothing beyond its end.
  subroutine sizes_of_datasets()
    type(h5r_object) :: dataset
    type(h5r_dataset_options) :: options
    integer :: five(5), two(2), one, rows(3, 2)
    call h5r_dataset_create(root, 'sizes', H5R_I32, [3], dataset)
    call h5r_dataset_write(dataset, [1, 2, 3])
    call h5r_dataset_read(dataset, five, status=status)
    call refused(H5R_ERR_RANGE, '5', '3')
    call h5r_dataset_read(dataset, one, status=status)
    call refused(H5R_ERR_ARGUMENT, '0', '1')
    call h5r_dataset_read(dataset, rows, status=status)
    call refused(H5R_ERR_ARGUMENT, '2', '1')
    call h5r_dataset_read(dataset, two)
    call h5r_dataset_read(dataset, one, start=[3])
    call check(all(two == [1, 2]) .and. one == 3, 'parts')
    call h5r_dataset_append(dataset, rows(:2, :), status=status)
    call refused(H5R_ERR_ARGUMENT, '[2, 2]', '[3]')
    call h5r_object_close(dataset)
    options%is_null = 1
    call h5r_dataset_create(root, 'null dataset', H5R_I32, [integer ::], dataset, options)
    call h5r_dataset_read(dataset, one, status=status)
    call refused(H5R_ERR_ARGUMENT, 'without a value', '[]')
    call h5r_dataset_write(dataset, one, status=status)
    call refused(H5R_ERR_ARGUMENT, 'without a value', '[]')
    call h5r_dataset_read(dataset, two, status=status)
    call refused(H5R_ERR_ARGUMENT, 'without a value', '[2]')
    call h5r_object_close(dataset)
  end subroutine

  subroutine logical_attributes()
    logical :: one, four(2, 1, 2, 1), five(3), back(3), four_back(2, 1, 2, 1), part(6)
    logical(c_bool) :: short(2, 2), short_back(2, 2), short_one
    integer(int8) :: numbers(3)
    integer(int64) :: stored, made
    logical :: same
    five = [.true., .false., .true.]
    four = reshape([.false., .true., .true., .false.], [2, 1, 2, 1])
    short = reshape([.false._c_bool, .true._c_bool, .true._c_bool, .false._c_bool], [2, 2])
    call h5r_attr_write(root, 'yes', .true.)
    call h5r_attr_write(root, 'no', .false._c_bool)
    call h5r_attr_write(root, 'flags', five)
    call h5r_attr_write(root, 'four', four)
    call h5r_attr_write(root, 'short', short)
    call h5r_attr_write(root, 'transposed', transpose(short))
    call h5r_type_logical(made)
    call h5r_attr_type(root, 'flags', stored)
    call h5r_type_equal(stored, made, same)
    call h5r_type_close(stored)
    call h5r_type_close(made)
    call check(same, 'stored as an enumeration of FALSE and TRUE')
    one = .false.
    call h5r_attr_read(root, 'yes', one)
    call check(one, 'true')
    call h5r_attr_read(root, 'no', one)
    call check(.not. one, 'false')
    short_one = .false.
    call h5r_attr_read(root, 'yes', short_one)
    call check(logical(short_one), 'the other kind')
    call h5r_attr_read(root, 'flags', back)
    call h5r_attr_read(root, 'four', four_back)
    call h5r_attr_read(root, 'short', short_back)
    call check(all(back .eqv. five) .and. all(four_back .eqv. four) .and. all(short_back .eqv. short), 'arrays of logical')
    part = .false.
    call h5r_attr_read(root, 'flags', part(2::2))
    call check(all(part .eqv. [.false., .true., .false., .false., .false., .true.]), 'a section with gaps')
    call h5r_attr_read(root, 'flags', numbers)
    call check(all(numbers == [1, 0, 1]), 'as numbers')
    part = .true.
    call h5r_attr_read(root, 'flags', part, status)
    call refused(H5R_ERR_ARGUMENT, '[3]', '[6]')
    call check(all(part), 'a refused read leaves the value')
  end subroutine

  subroutine logical_datasets()
    type(h5r_object) :: dataset
    type(h5r_dataset_options) :: options
    integer(int64) :: type
    integer(c_int64_t), target :: chunk(2) = [4, 3], most(2) = [H5R_UNLIMITED, 3_c_int64_t]
    logical :: grid(3, 2), back(3, 3), column(2)
    logical(c_bool) :: row(3)
    grid = reshape([.true., .false., .false., .true., .true., .false.], [3, 2])
    options%layout = H5R_LAYOUT_CHUNKED
    options%chunk = c_loc(chunk)
    options%max_dims = c_loc(most)
    call h5r_type_logical(type)
    call h5r_dataset_create(root, 'grid', type, [3, 2], dataset, options)
    call h5r_type_close(type)
    call h5r_dataset_write(dataset, grid)
    row = [.false._c_bool, .true._c_bool, .false._c_bool]
    call h5r_dataset_append(dataset, row)
    call h5r_dataset_write(dataset, .false., start=[1, 1])
    grid(1, 1) = .false.
    call h5r_dataset_read(dataset, back)
    call check(all(back(:, :2) .eqv. grid) .and. all(back(:, 3) .eqv. logical(row)), 'a dataset of logical')
    call h5r_dataset_read(dataset, column, start=[2, 2], stride=[1, 1], status=status)
    call check(status == H5R_OK .and. all(column .eqv. back(2:3, 2)), 'a section of logical')
    call h5r_object_close(dataset)
    call h5r_dataset_create(root, 'numbers', H5R_U16, [3], dataset)
    call h5r_dataset_write(dataset, row)
    call h5r_dataset_read(dataset, back(:, 1))
    call check(all(back(:, 1) .eqv. logical(row)), 'logical in a dataset of integers')
    call h5r_object_close(dataset)
  end subroutine

  ! Integers are true where they are not 0; nothing else is logical.
  subroutine logical_from_others()
    logical :: back(4)
    integer(int64) :: type
    integer(int8), target :: colours(0:1) = [0_int8, 1_int8]
    call h5r_attr_write(root, 'integers', [0_int64, -1_int64, 256_int64, 2_int64**40])
    call h5r_attr_read(root, 'integers', back)
    call check(all(back .eqv. [.false., .true., .true., .true.]), 'integers as logical')
    call h5r_attr_write(root, 'reals', [0.5, 0.0, 1.0, 2.0])
    back = .true.
    call h5r_attr_read(root, 'reals', back, status)
    call refused(H5R_ERR_TYPE, 'float', 'enumeration')
    call h5r_type_enum(H5R_I8, type)
    call h5r_type_enum_insert(type, 'RED', c_loc(colours(0)))
    call h5r_type_enum_insert(type, 'GREEN', c_loc(colours(1)))
    call h5r_attr_write_as(root, 'colours', type, [2], c_loc(colours))
    call h5r_type_close(type)
    call h5r_attr_read(root, 'colours', back(:2), status)
    call check(status == H5R_ERR_TYPE .and. all(back), 'colours are not logical')
  end subroutine

  subroutine complex_values()
    complex(real32) :: single, singles(2, 2), singles_back(2, 2)
    complex(real64) :: double, doubles(3), doubles_back(3)
    type(h5r_object) :: dataset
    integer(int64) :: type, stored
    logical :: same
    doubles = [(1.5_real64, -2.0_real64), (0.0_real64, 3.25_real64), (-4.0_real64, 0.5_real64)]
    singles = reshape([(1.0, 2.0), (3.0, 4.0), (5.0, 6.0), (7.0, 8.0)], [2, 2])
    call h5r_attr_write(root, 'c64', doubles)
    call h5r_attr_write(root, 'c32', singles)
    call h5r_attr_write(root, 'c', doubles(1))
    call h5r_type_complex_pair(H5R_F64, type)
    call h5r_attr_type(root, 'c64', stored)
    call h5r_type_equal(type, stored, same)
    call h5r_type_close(stored)
    call check(same, 'stored as a compound of r and i')
    call h5r_attr_read(root, 'c64', doubles_back)
    call h5r_attr_read(root, 'c32', singles_back)
    call check(all(abs(doubles - doubles_back) <= 0) .and. all(abs(singles - singles_back) <= 0), 'complex attributes')
    call h5r_attr_read(root, 'c', single)
    call check(abs(single - (1.5, -2.0)) <= 0, 'in the other precision')
    call h5r_dataset_create(root, 'complex', type, [3], dataset)
    call h5r_type_close(type)
    call h5r_dataset_write(dataset, doubles)
    call h5r_dataset_write(dataset, (9.0, -9.0), start=[2])
    call h5r_dataset_read(dataset, doubles_back)
    call h5r_dataset_read(dataset, double, start=[3])
    doubles(2) = (9, -9)
    call check(all(abs(doubles - doubles_back) <= 0) .and. abs(double - doubles(3)) <= 0, 'a complex dataset')
    call h5r_object_close(dataset)
  end subroutine

  ! The complex numbers of libhdf5 2; reals and other compounds are none.
  subroutine complex_from_others()
    complex(real32) :: back(2)
    complex(real64), target :: values(2)
    type(h5r_object) :: dataset
    integer(int64) :: type
    values = [(1.0_real64, 2.0_real64), (3.0_real64, 4.0_real64)]
    call h5r_type_complex(H5R_F64, type)
    call h5r_dataset_create(root, 'native', type, [2], dataset)
    call h5r_attr_write_as(root, 'native', type, [2], c_loc(values))
    call h5r_type_close(type)
    call h5r_dataset_write(dataset, values)
    call h5r_dataset_read(dataset, back)
    call check(all(abs(back - values) <= 0), 'native complex numbers')
    call h5r_object_close(dataset)
    back = 0
    call h5r_attr_read(root, 'native', back)
    call check(all(abs(back - values) <= 0), 'native complex numbers of an attribute')
    call h5r_type_compound(16_c_size_t, type)
    call h5r_type_insert(type, 'x', 0_c_size_t, H5R_F64)
    call h5r_type_insert(type, 'y', 8_c_size_t, H5R_F64)
    call h5r_attr_write_as(root, 'points', type, [2], c_loc(values))
    call h5r_type_close(type)
    call h5r_attr_read(root, 'points', back, status)
    call refused(H5R_ERR_TYPE, 'compound', 'complex')
    call h5r_attr_read(root, 'reals', values, status)
    call check(status /= H5R_OK, 'another number of reals')
    call h5r_dataset_create(root, 'real', H5R_F64, [2], dataset)
    call h5r_dataset_write(dataset, values, status=status)
    call refused(H5R_ERR_TYPE, 'compound', 'float')
    call h5r_object_close(dataset)
  end subroutine
end program
